//! What sources look like: module docs, nothing unfinished, no path of one machine.

use std::path::Path;

use crate::programs::root;
use crate::repository;

/// Text that a `.rs` file must not have, in two parts, so that this file does not have it either; and where it may be.
const FORBIDDEN: [(&str, &str, &[&str]); 7] = [
    ("todo", "!", &[]),
    ("unimplemented", "!", &[]),
    ("#[ignor", "e", &[]),
    ("#[allo", "w(", &[]),
    ("#![allo", "w(", &[]),
    ("// TO", "DO", &[]),
    ("// FIX", "ME", &[]),
];

/// Folders at the root of a machine whose paths mean nothing on another.
const MACHINE_FOLDERS: [&str; 5] = ["work", "root", "home", "farm", "tmp"];

/// Files of the repository with their text. Binary files are left out.
fn files() -> Vec<(String, String)> {
    let names = repository::names().into_iter();
    let text = |name: &String| String::from_utf8(std::fs::read(root().join(name)).ok()?).ok();
    names
        .filter_map(|name| text(&name).map(|text| (name, text)))
        .collect()
}

pub(super) fn rust_files() -> Vec<(String, String)> {
    let mut files = files();
    files.retain(|(name, _)| name.ends_with(".rs"));
    assert!(files.len() > 50, "only {} sources found", files.len());
    files
}

/// Tests next to the code they test: `foo/tests.rs` and `foo/tests/`.
pub(super) fn is_tests_module(name: &str) -> bool {
    let (_, inside) = name.split_once("/src/").unwrap_or_default();
    Path::new(inside)
        .with_extension("")
        .iter()
        .any(|part| part == "tests")
}

#[test]
fn modules_open_with_what_they_are() {
    let undocumented: Vec<String> = rust_files()
        .into_iter()
        .filter(|(name, text)| !is_tests_module(name) && !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    assert!(
        undocumented.is_empty(),
        "these do not begin with `//! `: {undocumented:#?}"
    );
    assert!(
        is_tests_module("crates/a/src/b/tests.rs") && is_tests_module("crates/a/src/tests/c.rs")
    );
    assert!(!is_tests_module("tests/it/main.rs") && !is_tests_module("crates/tests/src/b.rs"));
}

#[test]
fn nothing_is_unfinished_or_silenced() {
    let mut found = Vec::new();
    for (name, text) in rust_files() {
        for (line, text) in (1..).zip(text.lines()) {
            for (start, end, exceptions) in FORBIDDEN {
                if text.contains(&format!("{start}{end}")) && !exceptions.contains(&name.as_str()) {
                    found.push(format!("{name}:{line}: {text}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// True when `line` names a folder of one machine: the folder's name between slashes, at the beginning of a path.
fn names_a_machine(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        })
    })
}

#[test]
fn no_path_of_one_machine() {
    let mut found = Vec::new();
    for (name, text) in files() {
        for (line, text) in (1..).zip(text.lines()) {
            if names_a_machine(text) {
                found.push(format!("{name}:{line}: {text}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    for folder in MACHINE_FOLDERS {
        assert!(names_a_machine(&format!("open(\"/{folder}/a.bin\")")));
        assert!(names_a_machine(&format!("/{folder}/a.bin")));
        assert!(!names_a_machine(&format!(
            "../{folder}/a.bin, my-{folder}/, x/{folder}/y"
        )));
    }
}
