//! `[views]`: how often and how an image is seen in a batch.

use serde::{Deserialize, Serialize};
use tailfold_data::AugmentConfig;

use super::ensure::ensure;
use crate::error::TrainError;

/// Augmented views of each image in a batch; all go through the network together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewsConfig {
    /// Views for the classifier's loss.
    pub classifier: usize,
    /// Views for the contrastive loss alone; with 0 it takes the classifier's.
    #[serde(default)]
    pub contrastive: usize,
    /// Augmentation of the classifier's views.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// Augmentation of the contrastive views.
    #[serde(default)]
    pub contrastive_augment: AugmentConfig,
}

impl ViewsConfig {
    /// `contrastive`: whether there is a contrastive loss.
    pub(super) fn check(&self, contrastive: bool) -> Result<(), TrainError> {
        let v = self;
        ensure(
            (1..=8).contains(&v.classifier),
            "views.classifier",
            v.classifier,
            "1 to 8",
        )?;
        ensure(
            v.contrastive <= 8,
            "views.contrastive",
            v.contrastive,
            "0 to 8",
        )?;
        ensure(
            v.contrastive == 0 || contrastive,
            "views.contrastive",
            v.contrastive,
            "0 without a [contrastive] table",
        )
    }
}
