//! `[views]`: the augmented views of each image in a batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tailfold_data::AugmentConfig;

use super::ensure::ensure;
use crate::error::TrainError;

/// Augmented views of each image in a batch. All views go through the network together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewsConfig {
    /// Views per image for the loss of the classifier, 1 to 8.
    #[serde(default = "one")]
    pub classifier: usize,
    /// Further views per image for the contrastive loss, 0 to 8. With 0, that loss uses the views of the classifier.
    #[serde(default)]
    pub contrastive: usize,
    /// Augmentation of the views for the classifier.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// Augmentation of the views for the contrastive loss.
    #[serde(default)]
    pub contrastive_augment: AugmentConfig,
}

fn one() -> usize {
    1
}

/// One view per image, without augmentation.
impl Default for ViewsConfig {
    fn default() -> Self {
        Self {
            classifier: one(),
            contrastive: 0,
            augment: AugmentConfig::default(),
            contrastive_augment: AugmentConfig::default(),
        }
    }
}

impl ViewsConfig {
    /// Checks the numbers of views; `contrastive` says whether there is a contrastive loss.
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
