//! `tailfold-lab --help` lists every command, and every command has an example.

use std::process::Command;

fn help(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_tailfold-lab");
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

#[test]
fn every_command_is_listed_and_has_example() {
    let text = help(&["--help"]);
    for name in [
        "ablate",
        "bench",
        "bench-train",
        "build-embedded",
        "images",
        "recall",
    ] {
        let listed = |line: &str| line.split_whitespace().next() == Some(name);
        assert!(text.lines().any(listed), "{name}: {text}");
        let own = help(&[name, "--help"]);
        let example = format!("Example: tailfold-lab {name} ");
        assert!(own.contains(&example), "{own}");
    }
}
