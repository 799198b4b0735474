//! `loss` and its table: what the classifier minimises.

use serde::{Deserialize, Serialize};
use tailfold_spec::Head;

use super::TrainConfig;
use super::ensure::ensure;
use crate::error::{TrainError, TrainErrorKind};

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

impl FocalConfig {
    fn check(&self) -> Result<(), TrainError> {
        ensure(
            (0.0..=100.0).contains(&self.gamma),
            "focal.gamma",
            self.gamma,
            "0 to 100",
        )
    }
}

impl LdamConfig {
    fn check(&self) -> Result<(), TrainError> {
        let l = self;
        ensure(
            l.max_margin > 0.0 && l.max_margin <= 2.0,
            "ldam.max_margin",
            l.max_margin,
            "above 0, at most 2",
        )?;
        ensure(
            (0.0..=1.0).contains(&l.drw_from),
            "ldam.drw_from",
            l.drw_from,
            "0 to 1, a share of the run",
        )?;
        ensure(
            (0.0..1.0).contains(&l.beta),
            "ldam.beta",
            l.beta,
            "0 to below 1",
        )
    }
}

impl LogitAdjustmentConfig {
    fn check(&self) -> Result<(), TrainError> {
        ensure(
            (0.0..=100.0).contains(&self.tau),
            "logit_adjustment.tau",
            self.tau,
            "0 to 100",
        )
    }
}

/// Checks `loss`, its table and what it needs of the rest. A table of another loss would have no effect.
pub(super) fn check(config: &TrainConfig) -> Result<(), TrainError> {
    for (table, given, owner) in [
        ("focal", config.focal.is_some(), LossKind::Focal),
        ("ldam", config.ldam.is_some(), LossKind::Ldam),
        (
            "logit_adjustment",
            config.logit_adjustment.is_some(),
            LossKind::LogitAdjustment,
        ),
        ("offsets", config.offsets.is_some(), LossKind::Sdot),
    ] {
        if given && owner != config.loss {
            let (loss, owner) = (config.loss.as_str(), owner.as_str());
            let text =
                format!("[{table}] has no effect beside loss `{loss}`: it belongs to `{owner}`");
            return Err(TrainErrorKind::Config.error(text));
        }
    }
    match config.loss {
        LossKind::Ce => Ok(()),
        LossKind::Focal => config.focal.clone().unwrap_or_default().check(),
        LossKind::Ldam => {
            ensure(
                matches!(config.network.head, Head::Cosine { .. }),
                "network.head",
                "linear",
                "a cosine head beside `ldam`, whose margins are cosines",
            )?;
            config.ldam.clone().unwrap_or_default().check()
        }
        LossKind::LogitAdjustment => config.logit_adjustment.clone().unwrap_or_default().check(),
        LossKind::Sdot => match &config.offsets {
            Some(offsets) => offsets.check(config.epochs),
            None => ensure(false, "loss", "sdot", "an [offsets] table beside `sdot`"),
        },
    }
}
