//! The images behind a data set: records in memory, or files decoded when asked for.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use tailfold_spec::artifact::at;

use crate::{DataError, Pixels, decode_file};

/// Images of one size, decoded, in memory.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// `[n, height, width, channels]`.
    pub(crate) values: Vec<u8>,
    /// Files the records came from, in order, with the number of records of each.
    pub(crate) files: Vec<(PathBuf, usize)>,
}

impl Records {
    /// The values of record `i`.
    pub(crate) fn values(&self, i: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        &self.values[i * size..(i + 1) * size]
    }
}

/// Where images come from.
#[derive(Debug)]
pub(crate) enum Images {
    Records(Records),
    Files(Vec<PathBuf>),
}

impl Images {
    /// Image `i`, decoding its file where there is one.
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

    /// What tells image `i` from another: its file with size and time of change, or the hash of its record.
    ///
    /// # Errors
    /// [`DataError`] for a file that is not there.
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

    /// True when image `i` has a file of its own, and that is not there or has no bytes.
    pub(crate) fn is_missing(&self, i: usize) -> bool {
        match self {
            Self::Records(_) => false,
            Self::Files(paths) => !paths[i]
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() > 0),
        }
    }

    /// The file of image `i`, and its record: `test.bin#17`.
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
