//! The images of a training run, ready for random access: decoded in memory, or resized in a cache on disk.

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

/// The handling of an image that cannot be read or decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnCorrupt {
    /// An error names the image.
    #[default]
    Error,
    /// The image is left out and counted. A file that exists but cannot be read is still an error.
    Skip,
}

impl OnCorrupt {
    /// Returns whether an image with this error is skipped because it is damaged or missing. A failing disk does not
    /// mean that the image is damaged, and a cache would record the image as damaged forever.
    fn leaves_out(self, error: &DataError) -> bool {
        let file = error.cause().and_then(|e| e.downcast_ref());
        let corrupt = file.is_none_or(|e: &ArtifactError| e.source.kind() == ErrorKind::NotFound);
        corrupt && self == Self::Skip
    }
}

/// Settings of an [`ImageStore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreConfig {
    /// Number of channels, 1 or 3; `None` keeps each image's channels.
    pub channels: Option<usize>,
    /// Resize of the shorter side; `None` keeps each image's size.
    pub resize: Option<Resize>,
    /// Folder of the cache of decoded images; `None` keeps the images in memory.
    pub cache: Option<PathBuf>,
    /// The handling of images that cannot be used.
    pub on_corrupt: OnCorrupt,
}

/// An image that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Index of the image in the data set.
    pub index: usize,
    /// File of the image.
    pub id: String,
    /// The reason for skipping the image.
    pub reason: String,
}

/// Images by index. Skipped images have no index: image `i` is image `kept()[i]` of the data set.
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

/// Largest number of bytes of pixels in memory.
const MAX_MEMORY: u64 = 1 << 32;

impl ImageStore {
    /// Decodes the images of `data` on all cores. With a cache folder this happens only once: later calls, also by
    /// other programs, read the cache, and an interrupted call is continued. `progress` is called with the number of
    /// finished images, from any thread.
    ///
    /// # Errors
    /// [`DataError`] naming an image that cannot be used, unless such images are skipped, or a cache file that cannot
    /// be written or is damaged; [`DataErrorKind::Limit`] for too many images without a cache.
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
        // The error names the first unusable image on any number of threads: all images before it are decoded, and
        // images after it need not be.
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

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Index of each image in the data set, ascending.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// Images that were skipped, ascending.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns image `i`: borrowed from memory, or read from the cache.
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

    /// Shape `[channels, height, width]` of image `i`.
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

/// Decodes image `i` and converts it to the stored channels and size.
fn decode(data: &Dataset, i: usize, config: &StoreConfig) -> Result<Pixels, DataError> {
    let pixels = data.image(i)?;
    pixels.check()?;
    let channels = config.channels.unwrap_or(pixels.channels);
    Ok(fit(Cow::Owned(pixels), channels, config.resize)?.into_owned())
}

/// Returns an error and its causes in one line.
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
