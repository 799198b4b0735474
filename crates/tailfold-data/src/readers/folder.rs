//! Folders with one sub-folder per class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tailfold_spec::artifact::ArtifactError;
use walkdir::WalkDir;

use crate::images::Images;
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::names::{is_hidden, is_named_image, normalised};
use crate::{DataError, DataErrorKind, Split};

/// Opens `dir`, or `dir/SPLIT`. The classes are the sorted names of the sub-folders of all splits, so that a class
/// missing from one split cannot shift the labels of the others.
pub(crate) fn load(dir: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let root = match split {
        None => dir.to_owned(),
        Some(split) => dir.join(split.name()),
    };
    let mut classes = BTreeMap::new();
    match split {
        None => {
            classes = sub_folders(dir)?;
            refuse_splits(dir, &classes)?;
        }
        Some(split) if !root.is_dir() => return Err(no_split(dir, split)),
        Some(_) => {
            for sibling in Split::ALL.map(|split| dir.join(split.name())) {
                if sibling.is_dir() {
                    classes.extend(sub_folders(&sibling)?);
                }
            }
            // The folders of this split replace the other splits' folders of the same name.
            classes.extend(sub_folders(&root)?);
        }
    }
    let (mut paths, mut labels, mut left_out) = (Vec::new(), Vec::new(), LeftOut::default());
    for (label, (class, folder)) in classes.iter().enumerate() {
        if !folder.starts_with(&root) {
            continue;
        }
        let mut entries = WalkDir::new(folder)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|e| walk_error(folder, e))?;
            let is_folder = entry.file_type().is_dir();
            if entry.depth() > 0 && is_hidden(entry.path()) {
                left_out.count(class, entry.path());
                if is_folder {
                    entries.skip_current_dir();
                }
            } else if entry.file_type().is_file() && is_named_image(entry.path()) {
                paths.push(entry.into_path());
                labels.push(label);
            } else if !is_folder {
                left_out.count(class, entry.path());
            }
        }
    }
    let nothing = format!("{} holds no sub-folder with images", root.display());
    match (paths.is_empty(), left_out.is_empty()) {
        (true, true) => Err(DataErrorKind::Empty.error(nothing)),
        (true, false) => Err(DataErrorKind::Empty.error(format!("{nothing}, only {left_out}"))),
        _ => Ok(Loaded {
            images: Images::Files(paths),
            classes: classes.into_keys().collect(),
            labels,
            chosen: None,
            left_out,
        }),
    }
}

/// Returns the split that a folder of this name most likely contains.
fn split_of(name: &str) -> Option<Split> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Val),
        "test" => Some(Split::Test),
        _ => None,
    }
}

/// Returns an error if all sub-folders of `dir`, or sub-folders for at least two splits, have names of splits.
///
/// A single class named `train` among other classes is accepted.
fn refuse_splits(dir: &Path, classes: &BTreeMap<String, PathBuf>) -> Result<(), DataError> {
    let splits: Vec<(&String, Split)> = classes
        .keys()
        .filter_map(|name| Some((name, split_of(name)?)))
        .collect();
    let mut kinds: Vec<Split> = splits.iter().map(|(_, split)| *split).collect();
    kinds.dedup();
    kinds.sort_by_key(|split| split.name() != "train");
    match kinds[..] {
        [split, ..] if kinds.len() > 1 || splits.len() == classes.len() => {
            // On a file system that ignores letter case, `Train` can already be opened as `train`.
            let misnamed = |split: &Split| !dir.join(split.name()).is_dir();
            let renames = Split::ALL.into_iter().filter(misnamed).filter_map(|split| {
                let (name, _) = splits.iter().find(|(_, of)| *of == split)?;
                Some(format!("{name} to {split}"))
            });
            let renames: Vec<String> = renames.collect();
            let rename = match renames.as_slice() {
                [] => String::new(),
                _ => format!("rename {}, and ", renames.join(", ")),
            };
            let found: Vec<&str> = splits.iter().map(|(name, _)| name.as_str()).collect();
            Err(DataErrorKind::Specification.error(format!(
                "folder:{dir} holds the splits {found}, not classes: {rename}write \
                 folder:{dir}?split={split}",
                dir = dir.display(),
                found = found.join(", ")
            )))
        }
        _ => Ok(()),
    }
}

/// Returns the error for a split without a folder, which lists the folders that exist.
fn no_split(dir: &Path, split: Split) -> DataError {
    let there = sub_folders(dir).unwrap_or_default();
    let there: Vec<&str> = there.keys().map(String::as_str).collect();
    let accepted = match there.as_slice() {
        [] => "it has no sub-folder".into(),
        // A list of thousands of classes would hide the message.
        [.., _] if there.len() > 10 => format!(
            "its {} sub-folders are {}, ...",
            there.len(),
            there[..10].join(", ")
        ),
        _ => format!("its sub-folders are {}", there.join(", ")),
    };
    DataErrorKind::Specification.error(format!(
        "folder:{} has no `{split}` split: {accepted}",
        dir.display()
    ))
}

/// Returns the sub-folders that are not hidden, by class name.
fn sub_folders(folder: &Path) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let mut folders = BTreeMap::new();
    for entry in WalkDir::new(folder)
        .min_depth(1)
        .max_depth(1)
        .follow_links(true)
        .sort_by_file_name()
    {
        let entry = entry.map_err(|e| walk_error(folder, e))?;
        if !entry.file_type().is_dir() || is_hidden(entry.path()) {
            continue;
        }
        let Some(name) = entry.file_name().to_str().map(normalised) else {
            return Err(DataErrorKind::Damaged
                .error(format!("{} is not UTF-8 text", entry.into_path().display())));
        };
        let path = entry.into_path();
        if let Some(first) = folders.insert(name.clone(), path.clone()) {
            return Err(DataErrorKind::Classes.error(format!(
                "{} and {} are the same class name, `{name}`",
                first.display(),
                path.display()
            )));
        }
    }
    Ok(folders)
}

fn walk_error(folder: &Path, error: walkdir::Error) -> DataError {
    let path = error
        .path()
        .map_or_else(|| folder.to_owned(), PathBuf::from);
    // The error's own text would repeat the path; an error for a loop of links has no underlying system error.
    let text = error.to_string();
    let source = error.into_io_error();
    ArtifactError {
        action: "read",
        path,
        source: source.unwrap_or_else(|| std::io::Error::other(text)),
    }
    .into()
}

#[cfg(test)]
mod tests;
