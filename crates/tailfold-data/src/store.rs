//! The images of a training run, ready to be read in any order: decoded in memory, or resized in a cache on disk.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tailfold_spec::Resize;
use tailfold_spec::artifact::ArtifactError;

use crate::preprocess::fit;
use crate::{DataError, DataErrorKind, Dataset, Pixels};

mod cache;
mod fill;
mod journal;

use cache::Cache;

/// Treatment of an image that cannot be read or decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnCorrupt {
    /// Training stops with an error that names the image.
    #[default]
    Error,
    /// The image is left out and counted. A file that exists and cannot be read is still an error.
    Skip,
}

impl OnCorrupt {
    /// Whether an image with this error is left out: it is damaged, or not there. A disk that fails says nothing about
    /// the image, and a cache would remember it for good.
    fn leaves_out(self, error: &DataError) -> bool {
        let file = error.cause().and_then(|e| e.downcast_ref());
        let corrupt = file.is_none_or(|e: &ArtifactError| e.source.kind() == ErrorKind::NotFound);
        corrupt && self == Self::Skip
    }
}

/// How images are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreConfig {
    /// 1 or 3; without it an image keeps the channels it has.
    pub channels: Option<usize>,
    /// Resize of the shorter side; without it an image keeps its size.
    pub resize: Option<Resize>,
    /// Folder of decoded images; without it they are kept in memory.
    pub cache: Option<PathBuf>,
    /// Images that cannot be used.
    pub on_corrupt: OnCorrupt,
}

/// An image that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in the data set.
    pub index: usize,
    /// Its file.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Images by index. Those that were skipped have none: image `i` is image `kept()[i]` of the data set.
#[derive(Debug)]
pub struct ImageStore {
    place: Place,
    kept: Vec<usize>,
    skipped: Vec<Skipped>,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<Pixels>),
    Disk(Cache),
}

/// Bytes of pixels that are ever kept in memory.
const MAX_MEMORY: u64 = 1 << 32;

impl ImageStore {
    /// Decodes the images of `data` on all cores. With a cache folder this happens once: a later call, also by another
    /// program, finds them there, and one that was interrupted goes on where it was. `progress` hears of the number
    /// of images that are ready, from any thread.
    ///
    /// # Errors
    /// [`DataError`] naming the image that cannot be used, unless those are skipped; the cache's file that cannot be written
    /// or is damaged; [`DataErrorKind::Limit`] for too many images without a cache.
    pub fn open(
        data: &Dataset,
        config: &StoreConfig,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, DataError> {
        match &config.cache {
            Some(folder) => {
                let (cache, kept, skipped) = Cache::open(data, config, folder, progress)?;
                Ok(Self {
                    place: Place::Disk(cache),
                    kept,
                    skipped,
                })
            }
            None => Self::in_memory(data, config, progress, MAX_MEMORY),
        }
    }

    fn in_memory(
        data: &Dataset,
        config: &StoreConfig,
        progress: &(dyn Fn(usize) + Sync),
        limit: u64,
    ) -> Result<Self, DataError> {
        let (bytes, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let decode = |i| {
            let image = decode(data, i, config);
            let size = image
                .as_ref()
                .map_or(0, |pixels| pixels.values.len() as u64);
            if bytes.fetch_add(size, Ordering::Relaxed) + size > limit {
                let data = data.spec().to_string();
                return Err(DataErrorKind::Limit.error(format!(
                    "the images of {data} take more than {limit} bytes of memory: name a folder in \
                     `images.cache`"
                )));
            }
            progress(usize::try_from(done.fetch_add(1, Ordering::Relaxed) + 1).unwrap_or(0));
            match (image, config.on_corrupt) {
                (Err(error), on_corrupt) if !on_corrupt.leaves_out(&error) => Err(error),
                (image, _) => Ok(image),
            }
        };
        // The first image that cannot be used is the one that is named, on any number of threads: behind it none is
        // looked at, before it all are.
        let first_bad = AtomicUsize::new(usize::MAX);
        let images: Vec<_> = (0..data.len())
            .into_par_iter()
            .map(|i| {
                (i <= first_bad.load(Ordering::Relaxed)).then(|| {
                    decode(i).inspect_err(|_| {
                        first_bad.fetch_min(i, Ordering::Relaxed);
                    })
                })
            })
            .collect();
        let images = images
            .into_iter()
            .flatten()
            .collect::<Result<Vec<_>, _>>()?;
        let (mut pixels, mut kept, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for (index, image) in images.into_iter().enumerate() {
            match image {
                Ok(image) => {
                    pixels.push(image);
                    kept.push(index);
                }
                Err(error) => skipped.push(Skipped {
                    index,
                    id: data.id(index),
                    reason: reason(&error),
                }),
            }
        }
        Ok(Self {
            place: Place::Memory(pixels),
            kept,
            skipped,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// True without images.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Place of each image in the data set, ascending.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// Images that were left out, ascending.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Image `i`: borrowed from memory, or read from the cache.
    ///
    /// # Errors
    /// [`DataErrorKind::File`] when the cache cannot be read.
    ///
    /// # Panics
    /// When `i` is not below [`ImageStore::len`].
    pub fn image(&self, i: usize) -> Result<Cow<'_, Pixels>, DataError> {
        match &self.place {
            Place::Memory(pixels) => Ok(Cow::Borrowed(&pixels[i])),
            Place::Disk(cache) => cache.image(i).map(Cow::Owned),
        }
    }

    /// `[channels, height, width]` of image `i`.
    ///
    /// # Panics
    /// When `i` is not below [`ImageStore::len`].
    pub fn shape(&self, i: usize) -> [usize; 3] {
        match &self.place {
            Place::Memory(pixels) => {
                let image = &pixels[i];
                [image.channels, image.height, image.width]
            }
            Place::Disk(cache) => cache.shape(i),
        }
    }
}

/// Image `i` as it is kept.
fn decode(data: &Dataset, i: usize, config: &StoreConfig) -> Result<Pixels, DataError> {
    let pixels = data.image(i)?;
    pixels.check()?;
    let channels = config.channels.unwrap_or(pixels.channels);
    Ok(fit(Cow::Owned(pixels), channels, config.resize)?.into_owned())
}

/// An error with what caused it, in one line.
fn reason(error: &DataError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
