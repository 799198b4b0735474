//! The formats: each reader gives images, class names and labels that are all in range.

pub(crate) mod cifar;
pub(crate) mod csv;
pub(crate) mod folder;
pub(crate) mod idx;
pub(crate) mod json;
pub(crate) mod list;

use std::path::{Path, PathBuf};

use crate::class_list::distinct_names;
use crate::{DataError, DataErrorKind, Split, files};

/// Labels a text file may name: a larger one is a mistake, not a reason to allocate a name for each class below it.
const MAX_CLASSES: usize = 1_000_000;

/// The names in `folder/classes.txt`, see [`distinct_names`], or `None` without such a file.
pub(crate) fn listed_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    let path = folder.join("classes.txt");
    if !files::exists(&path) {
        return Ok(None);
    }
    distinct_names(&path).map(Some)
}

/// The names of `classes.txt`, or else those of iNaturalist's `categories.json` in the order of their ids, or `None`
/// without either.
pub(crate) fn class_or_category_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    if let Some(names) = listed_names(folder)? {
        return Ok(Some(names));
    }
    let categories = json::categories(folder)?;
    Ok(categories.map(|categories| categories.into_values().collect()))
}

/// Names for `labels`: those `given`, else the numbers themselves.
///
/// `place` makes the error for a label that no name is left for.
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

/// `file` with its `{split}` filled in.
///
/// # Errors
/// [`DataErrorKind::Specification`] when a split is asked for and the name has no place for it, or the other way round.
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
            "{kind}:{name} has no `{split}` split: it is one file, write {PLACE} in its name where \
             there is one a split"
        ))),
    }
}
