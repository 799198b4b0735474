//! The readers of the formats: each returns images, class names, and labels that are all in range.

pub(crate) mod cifar;
pub(crate) mod csv;
pub(crate) mod folder;
pub(crate) mod idx;
pub(crate) mod json;
pub(crate) mod list;

use std::path::{Path, PathBuf};

use crate::class_list::distinct_names;
use crate::{DataError, DataErrorKind, Split, files};

/// Largest number of classes in a text file: a larger label is a mistake, not a reason to allocate a name for each
/// class.
const MAX_CLASSES: usize = 1_000_000;

/// Reads the names in `folder/classes.txt`, see [`distinct_names`]; `None` without such a file.
pub(crate) fn listed_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    let path = folder.join("classes.txt");
    if !files::exists(&path) {
        return Ok(None);
    }
    distinct_names(&path).map(Some)
}

/// Reads the names in `classes.txt`, or else the names in iNaturalist's `categories.json` in the order of their ids;
/// `None` if both files are missing.
pub(crate) fn class_or_category_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    if let Some(names) = listed_names(folder)? {
        return Ok(Some(names));
    }
    let categories = json::categories(folder)?;
    Ok(categories.map(|categories| categories.into_values().collect()))
}

/// Returns the class names for `labels`: the `given` names, or else the numbers themselves.
///
/// `place` creates the error for a label without a name.
fn names_for(
    given: Option<Vec<String>>,
    labels: &[usize],
    place: impl Fn(usize, usize, usize) -> DataError,
) -> Result<Vec<String>, DataError> {
    match given {
        Some(names) => match labels.iter().position(|&label| label >= names.len()) {
            None => Ok(names),
            Some(at) => Err(place(at, labels[at], names.len())),
        },
        None => {
            let classes = labels.iter().max().map_or(0, |&max| max + 1);
            Ok((0..classes).map(|class| class.to_string()).collect())
        }
    }
}

/// Returns `file` with its `{split}` replaced by the split.
///
/// # Errors
/// [`DataErrorKind::Specification`] if a split is requested but the name has no `{split}`.
pub(crate) fn split_file(
    kind: &str,
    file: &Path,
    split: Option<Split>,
) -> Result<PathBuf, DataError> {
    const PLACE: &str = "{split}";
    let name = file.to_string_lossy();
    match split {
        None => Ok(file.to_owned()),
        Some(split) if name.contains(PLACE) => Ok(name.replace(PLACE, split.name()).into()),
        Some(split) => Err(DataErrorKind::Specification.error(format!(
            "{kind}:{name} has no `{split}` split: it is one file, write {PLACE} in its name if \
             there is one file per split"
        ))),
    }
}
