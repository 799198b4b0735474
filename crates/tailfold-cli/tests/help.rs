//! Every command explains itself with a worked example.

use std::process::Command;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["classify"],
    &["evaluate"],
    &["info"],
    &["logits"],
    &["merge"],
    &["parity"],
    &["parity", "chain"],
    &["verify"],
];

#[test]
fn help_has_an_example() {
    for arguments in COMMANDS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tailfold"));
        let output = command.args(*arguments).arg("--help").output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Example: tailfold "), "{arguments:?}: {text}");
    }
}
