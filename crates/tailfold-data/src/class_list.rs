//! Files with one line per class, in label order: names or training counts.

use std::path::Path;

use tailfold_spec::repeated_names;

use crate::names::normalised;
use crate::{DataError, DataErrorKind, files};

/// Number of repeated names that a warning lists.
const LISTED: usize = 3;

/// Reads the names of a model's classes, one per line, in the order of its outputs. A name may occur on several lines,
/// see [`repeats`].
///
/// A UTF-8 byte order mark, `\r` and white space around a name are removed, and names are converted to Unicode's form
/// NFC (see [`normalised`]).
///
/// # Errors
/// [`DataErrorKind::Damaged`] for an empty line and for another encoding than UTF-8; [`DataErrorKind::Empty`] for an
/// empty file; [`DataErrorKind::Missing`] and [`DataErrorKind::File`] for a file that cannot be read. Every error names
/// the file.
pub fn class_names(path: &Path) -> Result<Vec<String>, DataError> {
    lines(path, "class name", |line| match normalised(line) {
        name if name.is_empty() => Err("no class name".to_owned()),
        name => Ok(name),
    })
}

/// Like [`class_names`], for `classes.txt`: no name may be on two lines, because labels are matched by name.
///
/// # Errors
/// As [`class_names`], and [`DataErrorKind::Damaged`] for a duplicate name.
pub(crate) fn distinct_names(path: &Path) -> Result<Vec<String>, DataError> {
    let names = class_names(path)?;
    match repeated_names(&names)[..] {
        [] => Ok(names),
        [(first, again), ..] => {
            let reason = format!("class `{}` is on line {} already", names[again], first + 1);
            Err(wrong(path, again, reason))
        }
    }
}

/// Returns a sentence about the names that occur on several lines of the file `path`; `None` if all `names` are
/// different.
pub fn repeats(path: &Path, names: &[String]) -> Option<String> {
    let repeated = repeated_names(names);
    let listed = repeated.iter().take(LISTED).map(|&(first, again)| {
        let name = &names[first];
        format!("class `{name}` is on lines {} and {}", first + 1, again + 1)
    });
    let mut listed: Vec<String> = listed.collect();
    if repeated.len() > LISTED {
        listed.push(format!("and {} more", repeated.len() - LISTED));
    }
    (!listed.is_empty()).then(|| {
        format!(
            "{}: {}: answers show the same name for both",
            path.display(),
            listed.join(", ")
        )
    })
}

/// Reads the number of training images of each class, one per line, in the order of a model's outputs.
///
/// # Errors
/// As [`class_names`], with [`DataErrorKind::Damaged`] for a line that is not a number.
pub fn class_counts(path: &Path) -> Result<Vec<u64>, DataError> {
    lines(path, "training count", |line| {
        let number = line.parse();
        number.map_err(|_| format!("`{line}` is not a number of images"))
    })
}

/// Reads one value per line; `noun` names a value in messages.
fn lines<T>(
    path: &Path,
    noun: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, DataError> {
    let text = files::read_text(path)?;
    let lines = text.lines().enumerate();
    let values =
        lines.map(|(index, line)| parse(line.trim()).map_err(|reason| wrong(path, index, reason)));
    let values: Vec<T> = values.collect::<Result<_, _>>()?;
    if values.is_empty() {
        return Err(DataErrorKind::Empty.error(format!("{} holds no {noun}", path.display())));
    }
    Ok(values)
}

/// Returns the error for line `index`, counted from 0.
fn wrong(path: &Path, index: usize, reason: String) -> DataError {
    DataErrorKind::Damaged
        .error(reason)
        .at(format_args!("{}, line {}", path.display(), index + 1))
}

#[cfg(test)]
mod tests;
