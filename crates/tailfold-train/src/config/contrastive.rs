//! `[contrastive]`: the loss on projected features, beside the classifier's.

use serde::{Deserialize, Serialize};

use super::ensure::ensure;
use crate::error::TrainError;

/// Which loss trains the projected features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContrastiveKind {
    /// Supervised contrastive loss.
    #[default]
    Supervised,
    /// Balanced contrastive loss, with class prototypes projected from the classifier's weights.
    Balanced,
}

/// Contrastive loss beside the classifier's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastiveConfig {
    /// Which.
    #[serde(default)]
    pub kind: ContrastiveKind,
    /// Weight of the loss.
    pub weight: f64,
    /// Temperature.
    pub temperature: f64,
    /// Hidden units of the projection.
    pub hidden: usize,
    /// Dimension of the projection.
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
