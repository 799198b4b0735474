//! Files below a folder that are not read as images, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::names::{ending, is_hidden};

/// Counts of the files that a folder's listing left out, for each of its sub-folders and each kind.
///
/// A kind is `hidden` (see [`is_hidden`]; a hidden folder counts once), an ending with its dot (`.heic`), or `no ending`.
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

    /// True when nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// Number of files and hidden folders of each kind, over all sub-folders, in order of the kinds.
    pub fn kinds(&self) -> BTreeMap<&str, u64> {
        let mut all = BTreeMap::new();
        for (kind, count) in self.folders.values().flatten() {
            *all.entry(kind.as_str()).or_default() += count;
        }
        all
    }

    /// Sub-folders where something was left out, with the number of each kind, in order of their names. Those of a data
    /// set are its classes.
    pub fn folders(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.folders
    }

    /// The counts of the sub-folder `folder` as text: `3 .heic, 1 hidden`; `None` when nothing was left out there.
    pub fn of_folder(&self, folder: &str) -> Option<String> {
        self.folders.get(folder).map(listed)
    }

    /// The same without hidden files: a system's own files need no warning.
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
