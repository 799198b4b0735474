//! A cache of decoded and resized images: one file of raw pixels, filled once and read at any position.
//!
//! The name of a cache folder is a hash of the options and of each image's file, size and modification time.
//! `images.partial` and `index.partial` grow together, the pixels first; when all images are done they get their final
//! names, the index last. Only a folder with an index is read.
//!
//! Images are read, not memory-mapped: a truncated file is an error and not a signal, and its pages do not count as
//! memory of the program.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tailfold_spec::artifact::{self, at};

use super::fill::Files;
use super::journal::{self, Line};
use super::{OnCorrupt, Skipped, StoreConfig};
use crate::{DataError, Dataset, Pixels};

/// A filled cache.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    file: File,
    /// Offset of the first byte, and `[height, width, channels]`.
    entries: Vec<(u64, [usize; 3])>,
}

impl Cache {
    /// Opens the cache of `data` below `folder` and fills in missing images. Also returns the indices of its images in
    /// `data`, and the skipped images.
    pub(super) fn open(
        data: &Dataset,
        config: &StoreConfig,
        folder: &Path,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(Self, Vec<usize>, Vec<Skipped>), DataError> {
        let folder = folder.join(&key(data, config)?[..16]);
        fs::create_dir_all(&folder).map_err(at("create", &folder))?;
        let files = Files::of(&folder);
        {
            // Only one program fills the cache; another program with the same data waits and then finds it filled.
            let path = folder.join("lock");
            let lock = File::create(&path).map_err(at("create", &path))?;
            lock.lock().map_err(at("lock", &path))?;
            if !files.index.exists() {
                files.fill(data, config, progress)?;
            }
        }
        progress(data.len());
        let (mut entries, mut kept, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let mut offset = 0;
        for (index, line) in files.read_index(data.len())?.into_iter().enumerate() {
            if config.on_corrupt == OnCorrupt::Error {
                journal::refuse(&line, || data.id(index))?;
            }
            let bytes = line.bytes();
            match line {
                Line::Image(shape) => {
                    entries.push((offset, shape));
                    kept.push(index);
                }
                Line::Corrupt(reason) => skipped.push(Skipped {
                    index,
                    id: data.id(index),
                    reason,
                }),
            }
            offset += bytes;
        }
        let path = files.images;
        let file = File::open(&path).map_err(at("read", &path))?;
        let cache = Self {
            path,
            file,
            entries,
        };
        Ok((cache, kept, skipped))
    }

    pub(super) fn image(&self, i: usize) -> Result<Pixels, DataError> {
        let (offset, [height, width, channels]) = self.entries[i];
        let mut values = vec![0; height * width * channels];
        read_at(&self.file, &mut values, offset).map_err(at("read", &self.path))?;
        Ok(Pixels {
            height,
            width,
            channels,
            values,
        })
    }

    pub(super) fn shape(&self, i: usize) -> [usize; 3] {
        let (_, [height, width, channels]) = self.entries[i];
        [channels, height, width]
    }
}

/// Returns the hash key of the content: the options and the images.
fn key(data: &Dataset, config: &StoreConfig) -> Result<String, DataError> {
    let images: Vec<String> = (0..data.len())
        .into_par_iter()
        .map(|i| match (data.fingerprint(i), config.on_corrupt) {
            (Err(error), on_corrupt) if on_corrupt.leaves_out(&error) => {
                Ok(format!("{} is missing", data.id(i)))
            }
            (fingerprint, _) => fingerprint,
        })
        .collect::<Result<_, _>>()?;
    let (channels, resize) = (config.channels, config.resize);
    let options = format!("tailfold.images/1 {channels:?} {resize:?}\n");
    Ok(artifact::sha256((options + &images.join("\n")).as_bytes()))
}

/// Fills `values` from `offset` on, without a file position shared between threads.
#[cfg(unix)]
fn read_at(file: &File, values: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, values, offset)
}

/// Fills `values` from `offset` on, without a file position shared between threads.
#[cfg(windows)]
fn read_at(file: &File, mut values: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !values.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, values, offset)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        values = &mut values[n..];
        offset += n as u64;
    }
    Ok(())
}

/// Platforms without files, such as WebAssembly, cannot read any.
#[cfg(not(any(unix, windows)))]
fn read_at(_file: &File, _values: &mut [u8], _offset: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
