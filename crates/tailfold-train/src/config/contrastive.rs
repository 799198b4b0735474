//! `[contrastive]`: the loss on projected features, added to the loss of the classifier.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ensure::ensure;
use crate::error::TrainError;

/// Contrastive loss on the projected features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContrastiveKind {
    /// Supervised contrastive loss.
    #[default]
    Supervised,
    /// Balanced contrastive loss (BCL), with class prototypes projected from the weights of the classifier.
    Balanced,
}

/// Contrastive loss on projected features. It is added to the loss of the classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContrastiveConfig {
    /// Form of the contrastive loss.
    #[serde(default)]
    pub kind: ContrastiveKind,
    /// Factor of this loss in the sum of both losses, 0 or more.
    pub weight: f64,
    /// Temperature: cosines are divided by it. Above 0.
    pub temperature: f64,
    /// Hidden units of the projection, a perceptron with one hidden layer.
    pub hidden: usize,
    /// Output dimension of the projection.
    pub out: usize,
}

impl ContrastiveConfig {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let c = self;
        ensure(
            c.weight >= 0.0 && c.weight.is_finite(),
            "contrastive.weight",
            c.weight,
            "0 or more",
        )?;
        ensure(
            c.temperature > 0.0 && c.temperature.is_finite(),
            "contrastive.temperature",
            c.temperature,
            "above 0",
        )?;
        ensure(
            (1..=65_536).contains(&c.hidden),
            "contrastive.hidden",
            c.hidden,
            "1 to 65536",
        )?;
        ensure(
            (1..=65_536).contains(&c.out),
            "contrastive.out",
            c.out,
            "1 to 65536",
        )?;
        Ok(())
    }
}
