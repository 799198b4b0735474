//! Filling a cache: pixels and index grow together, and an interrupted run is continued.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tailfold_spec::artifact::{self, at};

use super::journal::{self, Line};
use super::{OnCorrupt, StoreConfig, decode, reason};
use crate::{DataError, DataErrorKind, Dataset};

/// Number of images that are decoded before they are written together; they are in memory meanwhile.
const CHUNK: usize = 256;

/// The files of one cache.
pub(super) struct Files {
    pub(super) images: PathBuf,
    pub(super) index: PathBuf,
    images_partial: PathBuf,
    index_partial: PathBuf,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            images: folder.join("images.bin"),
            index: folder.join("index.txt"),
            images_partial: folder.join("images.partial"),
            index_partial: folder.join("index.partial"),
        }
    }

    /// Reads the index of a filled cache and checks it against the size of the pixel file.
    pub(super) fn read_index(&self, images: usize) -> Result<Vec<Line>, DataError> {
        let damaged = |path: &Path, reason| {
            DataErrorKind::Cache
                .error(format!("{reason}; remove the folder to rebuild the cache"))
                .at(path.display())
        };
        let lines = journal::read(&artifact::read(&self.index)?, images);
        if lines.len() != images {
            let reason = format!("{} usable lines for {images} images", lines.len());
            return Err(damaged(&self.index, reason));
        }
        let expected: u64 = lines.iter().map(Line::bytes).sum();
        let file = self.images.metadata().map_err(at("read", &self.images))?;
        let found = file.len();
        if found != expected {
            let reason = format!("{found} bytes, but the index names {expected}");
            return Err(damaged(&self.images, reason));
        }
        Ok(lines)
    }

    /// Decodes the missing images and gives the files their final names.
    pub(super) fn fill(
        &self,
        data: &Dataset,
        config: &StoreConfig,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(), DataError> {
        if self.images.exists() {
            // An earlier run was interrupted between its two last steps.
            fs::rename(&self.images, &self.images_partial).map_err(at("rename", &self.images))?;
        }
        let mut images = Growing::open(&self.images_partial)?;
        let mut index = Growing::open(&self.index_partial)?;
        let mut done = 0;
        let (mut bytes, mut text) = (0, 0);
        for line in journal::read(&artifact::read(&self.index_partial)?, data.len()) {
            if bytes + line.bytes() > images.len {
                break;
            }
            if config.on_corrupt == OnCorrupt::Error {
                journal::refuse(&line, || data.id(done))?;
            }
            done += 1;
            bytes += line.bytes();
            text += line.text().len() as u64;
        }
        images.cut(bytes)?;
        index.cut(text)?;
        while done < data.len() {
            progress(done);
            let end = (done + CHUNK).min(data.len());
            let decoded: Vec<_> = (done..end)
                .into_par_iter()
                .map(|i| decode(data, i, config))
                .collect();
            let (mut pixels, mut lines) = (Vec::new(), String::new());
            for image in decoded {
                let line = match image {
                    Ok(image) => {
                        pixels.extend_from_slice(&image.values);
                        Line::Image([image.height, image.width, image.channels])
                    }
                    Err(error) if !config.on_corrupt.leaves_out(&error) => return Err(error),
                    Err(error) => Line::Corrupt(reason(&error)),
                };
                lines.push_str(&line.text());
            }
            images.append(&pixels)?;
            index.append(lines.as_bytes())?;
            done = end;
        }
        fs::rename(&self.images_partial, &self.images).map_err(at("rename", &self.images))?;
        fs::rename(&self.index_partial, &self.index).map_err(at("rename", &self.index))?;
        Ok(())
    }
}

/// A file that is only appended to; each part is synced to disk before the next one is written.
struct Growing<'a> {
    path: &'a Path,
    file: File,
    /// Size in bytes when the file was opened.
    len: u64,
}

impl<'a> Growing<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let mut options = File::options();
        let file = options.append(true).create(true).open(path);
        let file = file.map_err(at("write", path))?;
        let len = file.metadata().map_err(at("read", path))?.len();
        Ok(Self { path, file, len })
    }

    fn cut(&self, len: u64) -> Result<(), DataError> {
        Ok(self.file.set_len(len).map_err(at("write", self.path))?)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let mut written = self.file.write_all(bytes);
        if written.is_ok() {
            written = self.file.sync_data();
        }
        Ok(written.map_err(at("write", self.path))?)
    }
}
