//! Counts of the files that a folder listing skipped.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::names::{ending, is_hidden};

/// Numbers of files that a folder listing skipped, per sub-folder and kind.
///
/// A kind is `hidden` (see [`is_hidden`]; a hidden folder counts once), an ending with its dot such as `.heic`, or
/// `no ending`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    folders: BTreeMap<String, BTreeMap<String, u64>>,
}

impl LeftOut {
    /// Counts one file or hidden folder below the sub-folder `folder`.
    pub fn count(&mut self, folder: &str, path: &Path) {
        let kind = match ending(path) {
            _ if is_hidden(path) => "hidden".to_owned(),
            ending if ending.is_empty() => "no ending".to_owned(),
            ending => format!(".{ending}"),
        };
        let folder = self.folders.entry(folder.to_owned()).or_default();
        *folder.entry(kind).or_default() += 1;
    }

    /// Returns whether no file was skipped.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// Returns the number of files and hidden folders per kind, over all sub-folders, sorted by kind.
    pub fn kinds(&self) -> BTreeMap<&str, u64> {
        let mut all = BTreeMap::new();
        for (kind, count) in self.folders.values().flatten() {
            *all.entry(kind.as_str()).or_default() += count;
        }
        all
    }

    /// Returns the numbers per kind for each sub-folder with skipped files, sorted by name; the sub-folders of a data
    /// set are its classes.
    pub fn folders(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.folders
    }

    /// Returns the counts of the sub-folder `folder` as text: `3 .heic, 1 hidden`; `None` if nothing was skipped there.
    pub fn of_folder(&self, folder: &str) -> Option<String> {
        self.folders.get(folder).map(listed)
    }

    /// Returns the counts without hidden files, which need no warning.
    #[must_use]
    pub fn without_hidden(&self) -> Self {
        let mut folders = self.folders.clone();
        folders.retain(|_, kinds| {
            kinds.remove("hidden");
            !kinds.is_empty()
        });
        Self { folders }
    }
}

/// One line without a full stop: `3 .heic, 1 hidden`.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&listed(self.kinds()))
    }
}

fn listed<K: fmt::Display, N: fmt::Display>(kinds: impl IntoIterator<Item = (K, N)>) -> String {
    let kinds = kinds
        .into_iter()
        .map(|(kind, count)| format!("{count} {kind}"));
    kinds.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
