//! The files that a data set reads, so that no output overwrites them.

use std::path::{Path, PathBuf};

use tailfold_spec::OutputCheck;

use super::{DataSource, DataSpec};
use crate::names::{ending, is_named_image};
use crate::{embedded, readers};

impl DataSpec {
    /// Adds the files of this data set to `files`: its list, and each existing output that is one of its images or
    /// other data files. `option` is the option of the data set, such as `--data`.
    pub fn add_to(&self, files: &mut OutputCheck, option: &str) {
        let role = format!("file of {option}");
        let (list, folder) = match &self.source {
            DataSource::Embedded => (None, embedded::find().ok()),
            DataSource::Cifar10(dir)
            | DataSource::Cifar100(dir)
            | DataSource::Idx(dir)
            | DataSource::Folder(dir) => (None, Some(dir.clone())),
            DataSource::List { file, root } | DataSource::Json { file, root } => {
                (Some(file), Some(root.clone()))
            }
            DataSource::Csv(file) => (Some(file), Some(folder_of(file))),
        };
        if let Some(list) = list {
            let of_split = readers::split_file("list", list, self.split);
            files.reads(&role, of_split.unwrap_or_else(|_| list.clone()));
            for names in NAMES {
                files.reads(&role, folder_of(list).join(names));
            }
        }
        for output in files.existing() {
            let is_below = |folder: &PathBuf| is_below(&output, folder);
            if is_data(&output) && folder.as_ref().is_some_and(is_below) {
                files.reads(&role, output);
            }
        }
    }
}

/// Files with the names of the classes, in the folder of a list.
const NAMES: [&str; 2] = ["classes.txt", "categories.json"];

/// Returns whether a file of this name in a data folder is part of the data: an image, records, or the class names.
fn is_data(path: &Path) -> bool {
    let records = ["bin", "zst"].contains(&ending(path).as_str());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    is_named_image(path) || records || NAMES.contains(&&*name) || name.ends_with("-ubyte")
}

/// Returns whether the file `path` is in `folder` or in a folder below it.
fn is_below(path: &Path, folder: &Path) -> bool {
    let real = path.canonicalize().ok().zip(folder.canonicalize().ok());
    real.is_some_and(|(path, folder)| path.starts_with(folder))
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn output_that_is_a_data_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        for name in ["ant/0.png", "ant/note.md", "test-list.csv", "classes.txt"] {
            fs::create_dir_all(dir.path().join("ant")).unwrap();
            fs::write(at(name), "").unwrap();
        }
        let check = |spec: &str, out: &str, is_refused: bool| {
            let root = dir.path().display().to_string();
            let spec: DataSpec = spec.replace("DIR", &root).parse().unwrap();
            let mut files = OutputCheck::default();
            files.writes("--out", at(out));
            spec.add_to(&mut files, "--data");
            let error = files.check().err().map(|e| e.to_string());
            let expect = format!(
                "--out {} is the file of --data {}, which would be lost: give another file to write",
                at(out),
                at(out)
            );
            assert_eq!(error, is_refused.then_some(expect), "{spec}, {out}");
        };
        check("folder:DIR", "ant/0.png", true);
        check("folder:DIR", "ant/1.png", false);
        check("folder:DIR", "ant/note.md", false);
        check("list:DIR/none.txt@DIR", "ant/0.png", true);
        check("list:DIR/none.txt@DIR/bee", "ant/0.png", false);
        check("csv:DIR/{split}-list.csv?split=test", "test-list.csv", true);
        check("csv:DIR/test-list.csv", "classes.txt", true);
        check("list:DIR/none.txt@DIR/bee", "classes.txt", true);
        check("list:DIR/none.txt@DIR/bee", "none.txt", false);
        check("embedded", "ant/0.png", false);
    }
}
