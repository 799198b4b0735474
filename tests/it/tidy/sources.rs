//! Form of sources: documented modules, no unfinished code, no path of one machine.

use std::path::Path;

use crate::programs::root;
use crate::repository;

/// Forbidden texts of `.rs` files, each in two parts, so that this file does not have it, with the files that may have
/// it.
const FORBIDDEN: [(&str, &str, &[&str]); 7] = [
    ("todo", "!", &[]),
    ("unimplemented", "!", &[]),
    ("#[ignor", "e", &[]),
    ("#[allo", "w(", &[]),
    ("#![allo", "w(", &[]),
    ("// TO", "DO", &[]),
    ("// FIX", "ME", &[]),
];

/// Folders at the root of a machine, whose paths are not valid on other machines.
const MACHINE_FOLDERS: [&str; 5] = ["work", "root", "home", "farm", "tmp"];

/// Names and texts of the repository's files, tracked or new but not ignored. Binary files are left out.
pub(super) fn files() -> Vec<(String, String)> {
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

/// Whether `name` is a module of tests beside the tested code: `foo/tests.rs` or below `foo/tests/`.
pub(super) fn is_tests_module(name: &str) -> bool {
    let (_, inside) = name.split_once("/src/").unwrap_or_default();
    Path::new(inside)
        .with_extension("")
        .iter()
        .any(|part| part == "tests")
}

/// The Rust source `text` without the module of tests at its end.
pub(super) fn without_tests(text: &str) -> &str {
    let end = text.find("\n#[cfg(test)]\nmod tests {");
    end.map_or(text, |end| &text[..end])
}

/// The string literals of the Rust source `text` outside comments, each with its line, counted from 1.
pub(super) fn literals(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    let end_of = |from: usize, end: &str| text[from..].find(end).map(|length| from + length);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let next = at + c.len_utf8();
        let word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let raw = rest.strip_prefix('r').filter(|_| !word);
        let raw = raw.and_then(|raw| {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            raw[hashes..].starts_with('"').then_some(hashes)
        });
        at = if rest.starts_with("//") {
            end_of(at, "\n").unwrap_or(text.len())
        } else if let Some(hashes) = raw {
            let (start, close) = (at + hashes + 2, format!("\"{}", "#".repeat(hashes)));
            let end = end_of(start, &close).unwrap_or(text.len());
            found.push((start, &text[start..end]));
            (end + close.len()).min(text.len())
        } else if c == '"' {
            let mut escaped = false;
            let end = text[next..].find(|c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let end = end.map_or(text.len(), |length| next + length);
            found.push((next, &text[next..end]));
            (end + 1).min(text.len())
        } else if rest.starts_with("'\\") {
            end_of(at + 3, "'").map_or(text.len(), |end| end + 1)
        } else if rest.starts_with("'\"'") {
            at + 3
        } else {
            next
        };
    }
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    found
        .into_iter()
        .map(|(at, text)| (line(at), text))
        .collect()
}

#[test]
fn modules_begin_with_documentation() {
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
fn sources_have_no_unfinished_code_or_silenced_lints() {
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

/// Whether a path in `line` begins with a folder of one machine.
fn names_a_machine(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        })
    })
}

#[test]
fn files_have_no_path_of_one_machine() {
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
