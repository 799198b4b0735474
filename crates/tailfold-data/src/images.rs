//! The images of a data set: records in memory, or files that are decoded on demand.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use tailfold_spec::artifact::at;

use crate::{DataError, Pixels, decode_file};

/// Decoded images of the same size in memory.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// `[n, height, width, channels]`.
    pub(crate) values: Vec<u8>,
    /// The files of the records, in order, with the number of records of each file.
    pub(crate) files: Vec<(PathBuf, usize)>,
}

impl Records {
    /// Returns the values of record `i`.
    pub(crate) fn values(&self, i: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        &self.values[i * size..(i + 1) * size]
    }
}

/// The place of the images.
#[derive(Debug)]
pub(crate) enum Images {
    Records(Records),
    Files(Vec<PathBuf>),
}

impl Images {
    /// Returns image `i`; decodes it if it is a file.
    pub(crate) fn get(&self, i: usize) -> Result<Pixels, DataError> {
        match self {
            Self::Records(records) => Ok(Pixels {
                height: records.height,
                width: records.width,
                channels: records.channels,
                values: records.values(i).to_vec(),
            }),
            Self::Files(paths) => decode_file(&paths[i]),
        }
    }

    /// Returns a key that changes when image `i` changes: the file with its size and modification time, or the record's
    /// hash.
    ///
    /// # Errors
    /// [`DataError`] for a file that does not exist.
    pub(crate) fn fingerprint(&self, i: usize) -> Result<String, DataError> {
        match self {
            Self::Records(_) => Ok(self.get(i)?.sha256()),
            Self::Files(paths) => {
                let path = &paths[i];
                let file = path.metadata().map_err(at("read", path))?;
                let changed = file.modified().ok();
                let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let nanoseconds = changed.map_or(0, |time| time.as_nanos());
                Ok(format!("{} {} {nanoseconds}", path.display(), file.len()))
            }
        }
    }

    /// Returns whether image `i` has its own file and that file is missing or empty.
    pub(crate) fn is_missing(&self, i: usize) -> bool {
        match self {
            Self::Records(_) => false,
            Self::Files(paths) => !paths[i]
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() > 0),
        }
    }

    /// The file of image `i` and its record, such as `test.bin#17`.
    pub(crate) fn id(&self, mut i: usize) -> String {
        match self {
            Self::Records(records) => {
                for (path, count) in &records.files {
                    if i < *count {
                        return format!("{}#{i}", path.display());
                    }
                    i -= count;
                }
                format!("#{i}")
            }
            Self::Files(paths) => paths[i].display().to_string(),
        }
    }
}
