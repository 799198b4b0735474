//! `loss` and its table: the function that the classifier minimises.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tailfold_spec::Head;

use super::TrainConfig;
use super::ensure::ensure;
use crate::error::{TrainError, TrainErrorKind};

/// Loss of the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Cross-entropy, the baseline.
    Ce,
    /// Focal loss, with the parameters of `[focal]`.
    Focal,
    /// Label-distribution-aware margins with deferred re-weighting (LDAM-DRW), with the parameters of `[ldam]`. Needs a
    /// cosine head.
    Ldam,
    /// Logit adjustment, with the parameters of `[logit_adjustment]`. With `tau = 1` it is the balanced softmax.
    LogitAdjustment,
    /// OT-dynamic softmax: cross-entropy on scores with class offsets. Needs `[offsets]`.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FocalConfig {
    /// Exponent of `1 - p`, 0 to 100; 0 is cross-entropy.
    pub gamma: f64,
}

impl Default for FocalConfig {
    fn default() -> Self {
        Self { gamma: 2.0 }
    }
}

/// LDAM with deferred re-weighting (DRW). The `scale` of the network's cosine head is the scale of the loss; 30 is the
/// published value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LdamConfig {
    /// Margin of the rarest class, as a difference of cosines; above 0, at most 2.
    pub max_margin: f64,
    /// Share of the epochs before the classes are weighted, 0 to 1; with 1 they never are.
    pub drw_from: f64,
    /// Beta of the effective number of samples, from which the class weights follow; 0 to below 1.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogitAdjustmentConfig {
    /// Factor of the log prior, 0 to 100; 0 is cross-entropy.
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

/// Checks `loss`, its table and the keys that it needs. A table of another loss would have no effect.
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
                format!("[{table}] has no effect with loss `{loss}`: it belongs to `{owner}`");
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
                "a cosine head with loss `ldam`, whose margins are cosines",
            )?;
            config.ldam.clone().unwrap_or_default().check()
        }
        LossKind::LogitAdjustment => config.logit_adjustment.clone().unwrap_or_default().check(),
        LossKind::Sdot => match &config.offsets {
            Some(offsets) => offsets.check(config.epochs),
            None => ensure(false, "loss", "sdot", "an [offsets] table with loss `sdot`"),
        },
    }
}
