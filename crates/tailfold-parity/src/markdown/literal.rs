//! Text from outside in Markdown, with its marks taken literally.

use std::fmt::Write as _;

use crate::page::printable;

/// Most characters of a cell.
const CELL: usize = 120;

/// `text` as a reader is to see it: no markup, no mention of anybody, no reference to an issue. At most `most` characters with what
/// that takes, and an ellipsis where `text` has more.
pub(super) fn literal(text: &str, most: usize) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for c in printable(text).chars() {
        let before = match c {
            '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '~' | '$' => "\\",
            _ => "",
        };
        // GitHub looks for these after Markdown is done with, so a backslash does not keep it from them.
        let after = if matches!(c, '@' | '#') {
            "<!-- -->"
        } else {
            ""
        };
        length += before.len() + 1 + after.len();
        if length > most {
            out.push('…');
            break;
        }
        out += before;
        out.push(c);
        out += after;
    }
    out
}

/// At most `most` characters, the last of them an ellipsis where there are more.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// A table whose first row is the header.
pub(super) fn piped(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| literal(cell, CELL)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|:--|{}", "--:|".repeat(row.len().saturating_sub(1)));
        }
    }
    text
}

/// A block of code, fenced by more backticks than it has in a row.
pub(super) fn span(code: &str) -> String {
    let code = printable(code);
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}sh\n{code}\n{fence}\n")
}
