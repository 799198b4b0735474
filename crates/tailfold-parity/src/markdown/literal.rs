//! Escapes third-party text, so that Markdown shows it literally.

use std::fmt::Write as _;

use crate::page::printable;

/// Largest length of a table cell, in characters.
const CELL: usize = 120;

/// Escapes `text`, so that it has no markup, no mentions of users and no references to issues. The result has at most
/// `most` characters including the escapes, and an ellipsis if `text` is longer.
pub(super) fn literal(text: &str, most: usize) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for c in printable(text).chars() {
        let before = match c {
            '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '~' | '$' => "\\",
            _ => "",
        };
        // GitHub looks for these characters after it has processed Markdown, so a backslash does not escape them.
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

/// Cuts `text` to at most `most` characters; the last one is an ellipsis if `text` is longer.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Renders a table whose first row is the header.
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

/// Renders a block of code with a fence longer than any run of backticks in the code.
pub(super) fn span(code: &str) -> String {
    let code = printable(code);
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}sh\n{code}\n{fence}\n")
}
