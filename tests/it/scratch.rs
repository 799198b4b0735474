//! A temporary folder for a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tailfold_spec::artifact;

/// A temporary folder, whose paths are strings for command lines.
#[derive(Debug)]
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Path of `name` below the folder.
    pub(crate) fn at(&self, name: &str) -> String {
        let path = self.path().join(name);
        path.to_str()
            .expect("temporary folders are UTF-8")
            .to_owned()
    }

    /// Writes `name` below the folder, creates parent folders, and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        artifact::write(&self.path().join(name), bytes.as_ref()).unwrap();
        self.at(name)
    }

    /// Makes the folder `name` and returns its path.
    pub(crate) fn folder(&self, name: &str) -> String {
        fs::create_dir_all(self.path().join(name)).unwrap();
        self.at(name)
    }

    /// The path and the hash of every file below the folder.
    pub(crate) fn listing(&self) -> BTreeMap<String, String> {
        let mut listing = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.path()) {
            let entry = entry.unwrap();
            let content = if entry.file_type().is_file() {
                artifact::sha256(&fs::read(entry.path()).unwrap())
            } else {
                "folder".to_owned()
            };
            listing.insert(entry.path().display().to_string(), content);
        }
        listing
    }
}
