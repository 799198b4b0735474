//! Texts of libraries: a library states the fact, and the program adds the option that helps.

use super::sources::{is_tests_module, rust_files};

/// Crates whose texts belong to programs.
const PROGRAMS: [&str; 3] = ["tailfold-cli", "tailfold-console", "tailfold-lab"];

/// Sources of programs in crates of libraries, and a source that only tests compile.
const EXCEPTIONS: [&str; 3] = [
    "crates/tailfold-train/src/main.rs",
    "crates/tailfold-train/src/bin/",
    "crates/tailfold-parity/src/sample.rs",
];

/// Whether the file `name` belongs to a library and not to its tests.
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

/// The string literals of the Rust source `text`, with their lines from 1. Comments are not among them.
fn literals(text: &str) -> Vec<(usize, &str)> {
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

/// Whether `literal` names an option of a command line, or the program cargo.
fn names_an_option(literal: &str) -> bool {
    let option = literal.match_indices("--").any(|(at, dashes)| {
        let (before, after) = (&literal[..at], &literal[at + dashes.len()..]);
        let starts = before.is_empty() || before.ends_with([' ', '`', '"', '\'', '(']);
        starts && after.starts_with(|c: char| c.is_ascii_lowercase())
    });
    option || literal.contains("cargo ")
}

/// The literals of `text` that name an option, without the literals of the tests at its end.
fn options(text: &str) -> Vec<(usize, &str)> {
    let (code, _) = text
        .split_once("\n#[cfg(test)]\nmod tests {")
        .unwrap_or((text, ""));
    let mut found = literals(code);
    found.retain(|(_, literal)| names_an_option(literal));
    found
}

#[test]
fn no_text_of_a_library_names_an_option_or_cargo() {
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
fn texts_that_name_options_are_found() {
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
