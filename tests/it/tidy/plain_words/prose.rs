//! Prose of documents and sources, with the line of each word.

use std::sync::LazyLock;

use regex::Regex;

/// Text with single spaces between its words, so that patterns match across line breaks.
pub(super) struct Prose {
    pub(super) text: String,
    /// Offset and line of each word.
    words: Vec<(usize, usize)>,
}

impl Prose {
    /// Joins pieces of text, each with the line on which it begins.
    pub(super) fn new<'a>(pieces: impl IntoIterator<Item = (usize, &'a str)>) -> Self {
        let (mut text, mut words) = (String::new(), Vec::new());
        for (first, piece) in pieces {
            for (line, piece) in (first..).zip(piece.split('\n')) {
                for word in piece.split_whitespace() {
                    words.push((text.len(), line));
                    text.push_str(word);
                    text.push(' ');
                }
            }
        }
        Self { text, words }
    }

    /// The line of the word at the offset `at`.
    pub(super) fn line(&self, at: usize) -> usize {
        let after = self.words.partition_point(|(start, _)| *start <= at);
        self.words[after - 1].1
    }
}

/// The comments of the Rust source `text`: the text after the slashes of each line.
pub(super) fn comments(text: &str) -> Vec<(usize, &str)> {
    let comment = |line: &'_ str| -> Option<usize> {
        let indent = line.len() - line.trim_start().len();
        if line[indent..].starts_with("//") {
            let doc = line[indent + 2..].starts_with(['/', '!']);
            return Some(indent + 2 + usize::from(doc));
        }
        let mut slashes = line.match_indices("// ");
        let (at, _) = slashes.find(|(at, _)| line[..*at].ends_with(char::is_whitespace))?;
        Some(at + 3)
    };
    (1..)
        .zip(text.split('\n'))
        .filter_map(|(number, line)| Some((number, &line[comment(line)?..])))
        .collect()
}

/// The lines of the Markdown `text` outside code blocks.
pub(super) fn without_code_blocks(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .collect()
}

/// The text of the string `literal` for its readers: without the names of values in braces, and with spaces for escaped
/// line breaks. A literal of one word is a key or a name and has no text.
pub(super) fn message(literal: &str) -> Option<String> {
    if !literal.contains(char::is_whitespace) {
        return None;
    }
    static NAMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{[a-z_0-9]+").unwrap());
    let text = NAMES.replace_all(literal, "{");
    Some(text.replace("\\\n", " \n").replace("\\n", " "))
}
