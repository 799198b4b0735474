//! `[images]`: from image files of any size to those that a network is trained on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tailfold_data::{OnCorrupt, StoreConfig};
use tailfold_spec::{Filter, Resize};

use super::ensure::ensure;
use crate::error::TrainError;

/// How images are brought to the network's size, and kept. Without `size` all images must have one size and are taken
/// as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagesConfig {
    /// Length of the shorter side after resizing, pixels.
    pub size: Option<u32>,
    /// Side of the network's square input, pixels: cut from the middle to be evaluated, by the augmentation to be trained
    /// on. `size` without it.
    pub crop: Option<u32>,
    /// Resampling filter of the resize; bilinear without it.
    pub filter: Option<Filter>,
    /// 1 (grey) or 3 (RGB); 3 without it, where images are resized.
    pub channels: Option<usize>,
    /// Folder of resized images; without it they are kept in memory.
    pub cache: Option<PathBuf>,
    /// Images that cannot be read or decoded: `error`, or `skip`, which reports and leaves them out.
    pub on_corrupt: OnCorrupt,
}

impl ImagesConfig {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let Some(size) = self.size else {
            for (key, given) in [
                ("images.crop", self.crop.is_some()),
                ("images.filter", self.filter.is_some()),
            ] {
                ensure(!given, key, "given", "nothing without images.size")?;
            }
            return self.check_channels();
        };
        ensure((8..=4096).contains(&size), "images.size", size, "8 to 4096")?;
        let crop = self.crop.unwrap_or(size);
        let fits = (8..=size).contains(&crop);
        ensure(fits, "images.crop", crop, "8 to images.size")?;
        self.check_channels()
    }

    fn check_channels(&self) -> Result<(), TrainError> {
        let channels = self.channels.unwrap_or(3);
        ensure(
            matches!(channels, 1 | 3),
            "images.channels",
            channels,
            "1 or 3",
        )
    }

    /// The resize of training, and of inference.
    pub(crate) fn resize(&self) -> Option<Resize> {
        self.size.map(|short_side| Resize {
            short_side,
            filter: self.filter.unwrap_or(Filter::Bilinear),
        })
    }

    /// `[channels, height, width]` of the network's input, where the configuration decides it.
    pub(crate) fn input(&self) -> Option<[usize; 3]> {
        let side = self.crop.or(self.size)? as usize;
        Some([self.channels.unwrap_or(3), side, side])
    }

    /// How the images are kept.
    pub(crate) fn store(&self) -> StoreConfig {
        StoreConfig {
            channels: self.channels.or(self.size.map(|_| 3)),
            resize: self.resize(),
            cache: self.cache.clone(),
            on_corrupt: self.on_corrupt,
        }
    }
}
