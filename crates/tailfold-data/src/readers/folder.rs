//! A sub-folder a class.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tailfold_spec::artifact::ArtifactError;
use walkdir::WalkDir;

use crate::dataset::Loaded;
use crate::images::Images;
use crate::{DataError, Split};

/// Endings of the formats that can be decoded, lower case.
const ENDINGS: [&str; 9] = [
    "jpg", "jpeg", "png", "bmp", "webp", "pnm", "ppm", "pgm", "pbm",
];

/// Opens `dir`, or `dir/SPLIT`. The classes are the sub-folders of all splits by name, so that a class missing from one
/// split cannot shift the labels of the others.
pub(crate) fn load(dir: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let (root, siblings) = match split {
        None => (dir.to_owned(), vec![dir.to_owned()]),
        Some(split) => {
            let folders = Split::ALL.map(|split| dir.join(split.name()));
            (
                dir.join(split.name()),
                folders
                    .into_iter()
                    .filter(|folder| folder.is_dir())
                    .collect(),
            )
        }
    };
    if let Some(split) = split.filter(|_| !root.is_dir()) {
        let data = format!("folder:{}", dir.display());
        return Err(DataError::NoSplit {
            data,
            split,
            accepted: "there is no sub-folder of that name",
        });
    }
    let mut classes = BTreeSet::new();
    for sibling in &siblings {
        classes.extend(sub_folders(sibling)?);
    }
    let classes: Vec<String> = classes.into_iter().collect();
    let (mut paths, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in classes.iter().enumerate() {
        let folder = root.join(class);
        if !folder.is_dir() {
            continue;
        }
        for entry in WalkDir::new(&folder).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|e| walk_error(&folder, e))?;
            if entry.file_type().is_file() && is_image(entry.path()) {
                paths.push(entry.into_path());
                labels.push(label);
            }
        }
    }
    if paths.is_empty() {
        return Err(DataError::Nothing {
            path: root,
            what: "sub-folder with images",
        });
    }
    Ok(Loaded {
        images: Images::Files(paths),
        classes,
        labels,
        chosen: None,
    })
}

/// Names of the visible sub-folders.
fn sub_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for entry in WalkDir::new(folder)
        .min_depth(1)
        .max_depth(1)
        .follow_links(true)
    {
        let entry = entry.map_err(|e| walk_error(folder, e))?;
        if !entry.file_type().is_dir() {
            continue;
        }
        match entry.file_name().to_str() {
            Some(name) if name.starts_with('.') => {}
            Some(name) => names.push(name.to_owned()),
            None => {
                return Err(DataError::NotText {
                    path: entry.into_path(),
                });
            }
        }
    }
    Ok(names)
}

fn is_image(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn walk_error(folder: &Path, error: walkdir::Error) -> DataError {
    let path = error
        .path()
        .map_or_else(|| folder.to_owned(), PathBuf::from);
    ArtifactError {
        action: "read",
        path,
        source: error.into(),
    }
    .into()
}

#[cfg(test)]
mod tests;
