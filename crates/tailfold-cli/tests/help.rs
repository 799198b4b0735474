//! Every command has a worked example in its help.

use std::process::Command;

/// Runs `tailfold` with `words` and `--help` and returns its output.
fn help(words: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailfold"));
    let output = command.args(words).arg("--help").output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

/// Returns the names of the subcommands in a help text; empty for a command without subcommands.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    // The second line of a description is indented further.
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

/// Checks the command `words` and all its subcommands; returns the number of checked commands.
fn check(words: &[String]) -> usize {
    // The program `tailfold-train` prints this help, and may be missing.
    if words == ["train"] {
        return 1;
    }
    let text = help(words);
    assert!(text.contains("Example: tailfold "), "{words:?}: {text}");
    let below = subcommands(&text);
    let below = below.into_iter().map(|name| [words, &[name]].concat());
    1 + below.map(|words| check(&words)).sum::<usize>()
}

#[test]
fn missing_training_program_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alone = folder.path().join("tailfold");
    std::fs::copy(env!("CARGO_BIN_EXE_tailfold"), &alone).expect("a copy of the program");
    let mut train = Command::new(&alone);
    train.env("PATH", folder.path()).args(["train", "--help"]);
    let output = train.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert!(
        text.contains("the program `tailfold-train` is neither in the folder of"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let beside = folder.path().join("tailfold-train");
        std::fs::write(&beside, "#!/bin/sh\necho got \"$@\"\nexit 3\n").expect("a script");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&beside, mode).expect("an executable script");
        let output = train.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert_eq!(output.stdout, b"got --help\n");
    }
}

#[test]
fn every_command_has_an_example() {
    let commands = check(&[]);
    // Without a list of commands, this test would check nothing.
    assert!(commands >= 18, "only {commands} commands are listed");
}
