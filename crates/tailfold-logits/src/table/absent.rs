//! Replaces the table reader in builds without Parquet: opening a Parquet file is an error that says so.

use std::fs::File;
use std::path::Path;

use crate::{LogitFileError, LogitFileErrorKind};

/// An empty type: no value of it exists.
pub(crate) enum Table {}

impl Table {
    pub(crate) fn open(_: File, _: u64, path: &Path) -> Result<Self, LogitFileError> {
        Err(LogitFileErrorKind::NotBuilt.error(format!(
            "{} is Parquet, which this program was built without: build it with the feature \
             `parquet`, or write .npy",
            path.display()
        )))
    }

    pub(crate) fn without_logits(
        file: File,
        length: u64,
        path: &Path,
    ) -> Result<Self, LogitFileError> {
        Self::open(file, length, path)
    }

    pub(crate) fn rows(&self) -> usize {
        match *self {}
    }

    pub(crate) fn classes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn read(&mut self, _: usize, _: &mut Vec<f32>) -> Result<usize, LogitFileError> {
        match *self {}
    }

    pub(crate) fn labels(&self, _: &str) -> Result<Option<Vec<usize>>, LogitFileError> {
        match *self {}
    }

    pub(crate) fn ids(&self, _: &[&str]) -> Result<Option<Vec<String>>, LogitFileError> {
        match *self {}
    }
}
