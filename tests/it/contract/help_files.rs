//! Completion scripts and manual pages: they know every command.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::programs::{finish, run};
use crate::scratch::Scratch;

use super::help::commands;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// All commands of `tailfold` without the program's name, such as `info` and `parity chain`.
fn words_of_tailfold() -> Vec<String> {
    let commands = commands("tailfold").into_iter();
    let below = commands.filter_map(|(words, _)| Some(words.strip_prefix("tailfold ")?.to_owned()));
    below.collect()
}

#[test]
fn completion_scripts_know_every_command_and_option() {
    for shell in SHELLS {
        let script = run("tailfold", &["completions", shell])
            .ended_with(0)
            .stdout;
        for words in words_of_tailfold() {
            let last = words.rsplit(' ').next().unwrap_or_default();
            assert!(script.contains(last), "{shell} does not know `{words}`");
        }
        assert!(
            script.contains("require-integer"),
            "{shell} does not know an option"
        );
        let script = run("tailfold-train", &["--completions", shell])
            .ended_with(0)
            .stdout;
        assert!(
            script.contains("max-minutes"),
            "{shell} does not know an option"
        );
    }
    run("tailfold", &["completions", "tcsh"]).ended_with(2);
}

#[test]
fn completion_scripts_are_valid_bash() {
    for (program, arguments) in [
        ("tailfold", &["completions", "bash"]),
        ("tailfold-train", &["--completions", "bash"]),
    ] {
        let folder = Scratch::new();
        let text = run(program, arguments).ended_with(0).stdout;
        // A script for bash has no descriptions, which may name hidden commands.
        assert!(
            !text.contains("bench-turns"),
            "a hidden command is completed"
        );
        let script = folder.write("script", text);
        let parsed = finish(Command::new("bash").args(["-n", &script])).ended_with(0);
        assert_eq!(parsed.stderr, "");
    }
}

#[test]
fn manual_has_page_per_command() {
    let folder = Scratch::new();
    let out = folder.at("man1");
    run("tailfold", &["man", "--out", &out]).ended_with(0);
    run("tailfold-train", &["--man", &out]).ended_with(0);
    let pages: BTreeSet<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let words = words_of_tailfold().into_iter();
    let mut expected: BTreeSet<String> = words
        .map(|words| format!("tailfold-{}.1", words.replace(' ', "-")))
        .collect();
    expected.insert("tailfold.1".to_owned());
    assert_eq!(pages, expected);
    for (page, text) in [
        ("tailfold-quantize.1", "calibration"),
        ("tailfold-train.1", "max\\-minutes"),
    ] {
        let page = fs::read_to_string(folder.path().join("man1").join(page)).unwrap();
        assert!(page.contains(".TH ") && page.contains(text), "{page}");
    }
}
