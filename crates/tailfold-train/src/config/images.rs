//! `[images]`: image files of any size become images of the network's input size.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tailfold_data::{OnCorrupt, StoreConfig};
use tailfold_spec::{Filter, Resize};

use super::ensure::ensure;
use crate::error::TrainError;

/// Resizing of the images to the input of the network, and their cache. Without `size`, all images must have the same size
/// and are not resized.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImagesConfig {
    /// Length of the shorter side after resizing, in pixels, 8 to 4096.
    pub size: Option<u32>,
    /// Side of the network's square input, in pixels; `size` when absent. Evaluation takes the middle of the image,
    /// training the part that the augmentation cuts out.
    pub crop: Option<u32>,
    /// Resampling filter of the resize; `"bilinear"` when absent.
    pub filter: Option<Filter>,
    /// 1 (grey) or 3 (RGB). When absent, resized images have 3, other images keep the channels of their files.
    pub channels: Option<usize>,
    /// Folder for the resized images; they stay in memory when absent. The value changes no result.
    pub cache: Option<PathBuf>,
    /// Treatment of images that cannot be read or decoded.
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

    /// Options of the image store.
    pub(crate) fn store(&self) -> StoreConfig {
        StoreConfig {
            channels: self.channels.or(self.size.map(|_| 3)),
            resize: self.resize(),
            cache: self.cache.clone(),
            on_corrupt: self.on_corrupt,
        }
    }
}
