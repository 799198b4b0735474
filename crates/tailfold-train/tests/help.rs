//! Checks that the help of the command has a worked example and the options that scripts use.

use std::process::Command;

const COMMANDS: &[&[&str]] = &[&[]];

/// The options that scripts rely on.
const OPTIONS: [&str; 14] = [
    "--config",
    "--out",
    "--seed",
    "--epochs",
    "--data",
    "--validation",
    "--set",
    "--device",
    "--resume",
    "--max-minutes",
    "--json",
    "--keys",
    "--completions",
    "--man",
];

#[test]
fn help_has_an_example() {
    for arguments in COMMANDS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tailfold-train"));
        let output = command.args(*arguments).arg("--help").output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("Example: tailfold-train "),
            "{arguments:?}: {text}"
        );
        for option in OPTIONS {
            assert!(text.contains(option), "`{option}` is not in: {text}");
        }
    }
}
