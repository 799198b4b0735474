//! Every command explains itself with a worked example.

use std::process::Command;

const COMMANDS: &[&[&str]] = &[&[]];

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tailfold-quant"))
        .args(arguments)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_has_an_example() {
    for arguments in COMMANDS {
        let text = help(arguments);
        assert!(
            text.contains("Example: tailfold-quant "),
            "{arguments:?}: {text}"
        );
    }
}
