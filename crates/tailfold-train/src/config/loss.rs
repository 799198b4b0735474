//! `loss` and its tables: what the classifier minimises.
//!
//! The tables of losses that `loss` does not name are checked but not used, so that another loss is one key away.

use serde::{Deserialize, Serialize};
use tailfold_spec::Head;

use super::TrainConfig;
use super::check::{ConfigError, ensure};

/// Which loss trains the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Cross-entropy: the baseline.
    Ce,
    /// Focal loss, `[focal]`.
    Focal,
    /// Label-distribution-aware margins with deferred re-weighting, `[ldam]`; needs a cosine head.
    Ldam,
    /// Logit adjustment, with `tau = 1` the balanced softmax, `[logit_adjustment]`.
    LogitAdjustment,
    /// OT-dynamic softmax; needs `[offsets]`.
    Sdot,
}

impl LossKind {
    /// Name in manifests and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ce => "ce",
            Self::Focal => "focal",
            Self::Ldam => "ldam",
            Self::LogitAdjustment => "logit-adjustment",
            Self::Sdot => "sdot",
        }
    }
}

/// Focal loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FocalConfig {
    /// Power of `1 - p`; 0 is cross-entropy.
    pub gamma: f64,
}

impl Default for FocalConfig {
    fn default() -> Self {
        Self { gamma: 2.0 }
    }
}

/// LDAM with deferred re-weighting (DRW). The published scale, 30, is that of the network's cosine head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LdamConfig {
    /// Margin of the rarest class, as a difference of cosines.
    pub max_margin: f64,
    /// Share of the run's epochs after which classes are weighted; 1 is never.
    pub drw_from: f64,
    /// Of the effective number of samples, for the weights.
    pub beta: f64,
}

impl Default for LdamConfig {
    fn default() -> Self {
        Self {
            max_margin: 0.5,
            drw_from: 0.8,
            beta: 0.9999,
        }
    }
}

/// Logit adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogitAdjustmentConfig {
    /// Factor of the log prior; 0 is cross-entropy.
    pub tau: f64,
}

impl Default for LogitAdjustmentConfig {
    fn default() -> Self {
        Self { tau: 1.0 }
    }
}

/// Checks `loss`, its tables and what it needs of the rest.
pub(super) fn check(config: &TrainConfig) -> Result<(), ConfigError> {
    ensure(
        (0.0..=100.0).contains(&config.focal.gamma),
        "focal.gamma",
        config.focal.gamma,
        "0 to 100",
    )?;
    let ldam = &config.ldam;
    ensure(
        ldam.max_margin > 0.0 && ldam.max_margin <= 2.0,
        "ldam.max_margin",
        ldam.max_margin,
        "above 0, at most 2",
    )?;
    ensure(
        (0.0..=1.0).contains(&ldam.drw_from),
        "ldam.drw_from",
        ldam.drw_from,
        "0 to 1, a share of the run",
    )?;
    ensure(
        (0.0..1.0).contains(&ldam.beta),
        "ldam.beta",
        ldam.beta,
        "0 to below 1",
    )?;
    ensure(
        (0.0..=100.0).contains(&config.logit_adjustment.tau),
        "logit_adjustment.tau",
        config.logit_adjustment.tau,
        "0 to 100",
    )?;
    let loss = config.loss.as_str();
    match config.loss {
        LossKind::Sdot => ensure(
            config.offsets.is_some(),
            "loss",
            loss,
            "an [offsets] table beside `sdot`",
        ),
        LossKind::Ldam => ensure(
            matches!(config.network.head, Head::Cosine { .. }),
            "network.head",
            "linear",
            "a cosine head beside `ldam`, whose margins are cosines",
        ),
        LossKind::Ce | LossKind::Focal | LossKind::LogitAdjustment => Ok(()),
    }
}
