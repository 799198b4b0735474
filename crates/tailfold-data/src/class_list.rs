//! Files that name classes, one on each line.

use std::collections::HashMap;
use std::path::Path;

use crate::names::normalised;
use crate::{DataError, files};

/// Reads class names, one on each line, in label order: `classes.txt`, `--labels`.
///
/// A UTF-8 byte order mark, `\r` and white space around a name are removed, and names become Unicode's form NFC (see
/// [`normalised`]).
///
/// # Errors
/// [`DataError::Line`] for a line without a name and for a name that an earlier line has; [`DataError::Nothing`] for
/// a file without a line; [`DataError::ByteOrderMark`] and [`DataError::NotText`] for another encoding than UTF-8;
/// [`DataError::Missing`] and [`DataError::File`] for a file that cannot be read. All name the file.
pub fn class_names(path: &Path) -> Result<Vec<String>, DataError> {
    let text = files::read_text(path)?;
    let wrong = |line: usize, reason: String| DataError::Line {
        path: path.to_owned(),
        line: line as u64,
        reason,
    };
    let mut names = Vec::new();
    let mut lines = HashMap::new();
    for (line, name) in (1..).zip(text.lines()) {
        let name = normalised(name.trim());
        if name.is_empty() {
            return Err(wrong(line, "no class name".to_owned()));
        }
        if let Some(first) = lines.insert(name.clone(), line) {
            let reason = format!("class `{name}` is on line {first} already");
            return Err(wrong(line, reason));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err(DataError::Nothing {
            path: path.to_owned(),
            what: "class name",
        });
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
