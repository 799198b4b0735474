//! Every command explains itself with a worked example.

use std::process::Command;

/// `tailfold` with `words` and `--help`.
fn help(words: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailfold"));
    let output = command.args(words).arg("--help").output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

/// Names of the subcommands in the list of a help text; empty for a command without any.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    // A description that goes on in a second line is indented further.
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

/// Checks the command `words` and all below it; returns how many there are.
fn check(words: &[String]) -> usize {
    // Another program prints this help, and may not be there.
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
fn training_program_that_is_not_there_is_named() {
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
    // Without a list the check would be green on nothing.
    assert!(commands >= 18, "only {commands} commands are listed");
}
