//! Messages of libraries do not name command-line options or cargo. Programs add such hints.

use super::sources::{is_tests_module, literals, rust_files, without_tests};

/// Crates of programs, whose messages may name options.
const PROGRAMS: [&str; 3] = ["tailfold-cli", "tailfold-console", "tailfold-lab"];

/// Sources of programs in crates of libraries, and a source that only tests compile.
const EXCEPTIONS: [&str; 3] = [
    "crates/tailfold-train/src/main.rs",
    "crates/tailfold-train/src/bin/",
    "crates/tailfold-parity/src/sample.rs",
];

/// Whether the file `name` belongs to a library, but not to its tests.
fn is_library(name: &str) -> bool {
    let Some((package, _)) = name
        .strip_prefix("crates/")
        .and_then(|rest| rest.split_once("/src/"))
    else {
        return false;
    };
    !PROGRAMS.contains(&package)
        && !EXCEPTIONS.iter().any(|start| name.starts_with(start))
        && !is_tests_module(name)
}

/// Whether `literal` names a command-line option or cargo.
fn names_an_option(literal: &str) -> bool {
    let option = literal.match_indices("--").any(|(at, dashes)| {
        let (before, after) = (&literal[..at], &literal[at + dashes.len()..]);
        let starts = before.is_empty() || before.ends_with([' ', '`', '"', '\'', '(']);
        starts && after.starts_with(|c: char| c.is_ascii_lowercase())
    });
    option || literal.contains("cargo ")
}

/// The literals of the source `text` that name an option or cargo, outside the tests at its end.
fn options(text: &str) -> Vec<(usize, &str)> {
    let mut found = literals(without_tests(text));
    found.retain(|(_, literal)| names_an_option(literal));
    found
}

#[test]
fn messages_of_libraries_do_not_name_options_or_cargo() {
    let mut found = Vec::new();
    for (name, text) in rust_files() {
        if is_library(&name) {
            let options = options(&text).into_iter();
            found.extend(options.map(|(line, literal)| format!("{name}:{line}: {literal:?}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn messages_that_name_options_are_found() {
    let source = r##"
//! Run `x --comment "--no"`.
const A: &str = "give `--output`, or it's lost";
const B: char = '"';
const C: &'static str = r#"say "--labels FILE""#;
const D: &str = "a \"quoted\" cargo build"; // "--not this"
const E: [&str; 2] = ["a -- b", "x--y"];
#[cfg(test)]
mod tests {
    const F: &str = "--tested";
}
"##;
    let lines: Vec<usize> = options(source).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [3, 5, 6]);
    assert!(is_library("crates/tailfold-data/src/files.rs"));
    for name in [
        "crates/tailfold-cli/src/hints.rs",
        "crates/tailfold-train/src/main.rs",
        "crates/tailfold-data/src/files/tests.rs",
        "tests/it/main.rs",
    ] {
        assert!(!is_library(name), "{name}");
    }
}
