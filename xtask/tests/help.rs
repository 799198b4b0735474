//! `cargo xtask --help` lists every command.

use std::process::Command;

#[test]
fn every_command_is_listed() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Example: cargo xtask "), "{text}");
    for chore in [
        "ablate",
        "bench",
        "bench-train",
        "ci",
        "cross",
        "data",
        "demo",
        "dist",
        "export",
        "parity",
        "quantize",
        "tidy",
        "train",
        "wasm",
    ] {
        assert!(
            text.lines()
                .any(|line| line.split_whitespace().next() == Some(chore)),
            "{chore}: {text}"
        );
    }
}
