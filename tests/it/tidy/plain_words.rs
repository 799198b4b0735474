//! Plain words: documents, help, messages and comments have no pattern of a hard sentence.

mod patterns;
mod prose;

use super::sources::{files, is_tests_module, literals, rust_files, without_tests};

use patterns::Patterns;
use prose::{Prose, comments, message, without_code_blocks};

/// Whether the Rust source `name` belongs to a library or a program, but not to tests.
fn is_shipped(name: &str) -> bool {
    name.contains("/src/") && !name.starts_with("tests/") && !is_tests_module(name)
}

#[test]
fn documents_and_help_have_plain_words() {
    let patterns = Patterns::new();
    let (mut documents, mut helps, mut found) = (0, 0, Vec::new());
    for (name, text) in files() {
        let markdown = name == "README.md" || name.starts_with("docs/") && name.ends_with(".md");
        let help = name.ends_with(".snap") && name.contains("help");
        documents += usize::from(markdown);
        helps += usize::from(help);
        let prose = if markdown {
            Prose::new(without_code_blocks(&text))
        } else if help {
            Prose::new([(1, text.as_str())])
        } else {
            continue;
        };
        found.extend(patterns.hits(&prose).iter().map(|hit| hit.in_file(&name)));
    }
    assert!(
        documents > 5 && helps > 20,
        "only {documents} documents and {helps} help texts found"
    );
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}

#[test]
fn messages_have_plain_words() {
    let patterns = Patterns::new();
    let (mut messages, mut found) = (0, Vec::new());
    for (name, text) in rust_files() {
        if !is_shipped(&name) {
            continue;
        }
        for (line, literal) in literals(without_tests(&text)) {
            if let Some(message) = message(literal) {
                messages += 1;
                let prose = Prose::new([(line, message.as_str())]);
                found.extend(patterns.hits(&prose).iter().map(|hit| hit.in_file(&name)));
            }
        }
    }
    assert!(messages > 500, "only {messages} messages found");
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}

#[test]
fn comments_have_plain_words() {
    let patterns = Patterns::new();
    let (mut sources, mut found) = (0, Vec::new());
    for (name, text) in rust_files() {
        sources += 1;
        let hits = patterns.hits(&Prose::new(comments(&text)));
        found.extend(hits.iter().map(|hit| hit.in_file(&name)));
    }
    assert!(sources > 500, "only {sources} sources found");
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}

#[test]
fn hits_name_their_line() {
    // `#` stands for two slashes, so that these lines are not comments of this file.
    let source = r"
#/ One comment that
#/ of course goes on.
fn f() {} # 30 images
    #! a second
let s = 'x'; #this is not read
let url = https:#what;
"
    .replace('#', "//");
    let patterns = Patterns::new();
    let comments = comments(&source);
    let lines: Vec<_> = comments.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    let hits = patterns.hits(&Prose::new(comments));
    let places: Vec<_> = hits.iter().map(|hit| (hit.line, hit.pattern)).collect();
    assert_eq!(places, [(2, "demonstrative"), (4, "article")]);
    let markdown = "a\n```sh\nb\n```\nc\n";
    assert_eq!(without_code_blocks(markdown), [(1, "a"), (5, "c")]);
}

#[test]
fn message_leaves_out_names_of_values() {
    assert_eq!(message("first_break"), None);
    let text = message("the {name}\\nhas {} of {1:?}, \\\n   two").unwrap();
    assert_eq!(text, "the {} has {} of {:?},  \n   two");
    assert!(is_shipped("crates/a/src/b.rs") && is_shipped("xtask/src/main.rs"));
    for name in [
        "crates/a/tests/b.rs",
        "crates/a/src/b/tests.rs",
        "tests/judges/a/src/main.rs",
    ] {
        assert!(!is_shipped(name), "{name}");
    }
}
