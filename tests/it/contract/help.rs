//! Snapshots of every `--help`. The test reads the commands from the help itself, so that a new command needs a
//! snapshot.

use crate::programs::{Answer, command, finish, xtask};

/// Help of the program or subcommand `words`.
pub(crate) fn help(words: &str) -> String {
    // `cargo xtask` builds the programs that it starts, but a test must not build.
    let mut command = match words.strip_prefix("xtask") {
        Some(below) => {
            let mut xtask = xtask();
            xtask.args(below.split_whitespace());
            xtask
        }
        None => command(words),
    };
    let answer: Answer = finish(command.arg("--help")).ended_with(0);
    assert_eq!(answer.stderr, "", "{words} --help");
    answer.stdout
}

/// Subcommands that the help text `help` lists, without `help` itself.
pub(crate) fn subcommands(help: &str) -> Vec<&str> {
    let mut lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = lines.by_ref().take_while(|line| !line.is_empty());
    // The name is indented by two spaces; the other lines of a description are indented further.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|l| !l.starts_with(' ')));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// The command `words` and all its subcommands, each with its help.
pub(crate) fn commands(words: &str) -> Vec<(String, String)> {
    let text = help(words);
    assert!(
        text.contains("Usage: "),
        "{words} --help has no line `Usage`: {text}"
    );
    let below: Vec<_> = subcommands(&text)
        .into_iter()
        .flat_map(|name| commands(&format!("{words} {name}")))
        .collect();
    [vec![(words.to_owned(), text)], below].concat()
}

#[test]
fn listed_subcommands_are_found() {
    let text = "Do it.\n\nUsage: x <COMMAND>\n\nCommands:\n  first   Does\n          more\n  second  Does\n  help    Prints\n\nOptions:\n  -h";
    assert_eq!(subcommands(text), ["first", "second"]);
    assert!(subcommands("Usage: x\n\nOptions:\n  -h").is_empty());
}

#[test]
fn every_help_text_matches_snapshot() {
    let commands: Vec<_> = ["tailfold", "tailfold-lab", "tailfold-train", "xtask"]
        .into_iter()
        .flat_map(commands)
        .collect();
    for (words, text) in &commands {
        insta::assert_snapshot!(words.replace(' ', "-"), text);
    }
    let found = commands.len();
    assert!(found > 30, "only {found} commands were found");
}
