//! `[optimizer]` and `[schedule]`: the update of the weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ensure::ensure;
use crate::error::TrainError;

/// Stochastic gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Largest learning rate, above 0 and at most 100. The schedule starts from it.
    pub learning_rate: f64,
    /// Momentum, without dampening, 0 to below 1.
    #[serde(default = "default_momentum")]
    pub momentum: f64,
    /// Nesterov's form of momentum.
    #[serde(default)]
    pub nesterov: bool,
    /// Weight decay, 0 to below 1: this multiple of a parameter is added to its gradient.
    pub weight_decay: f64,
    /// Parameters that weight decay applies to.
    #[serde(default)]
    pub decay: Decay,
    /// Radius of sharpness-aware minimization (SAM; Foret et al., ICLR 2021), above 0 and at most 10. The gradient is taken
    /// where the loss is largest within this distance of the weights, to first order. It doubles the cost of a step. No
    /// SAM when absent.
    #[serde(default)]
    pub sam_rho: Option<f64>,
    /// Epochs of linear warm-up of the learning rate, 0 to `epochs`. A fraction is allowed.
    #[serde(default)]
    pub warmup_epochs: f64,
}

/// Parameters that weight decay applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// Every parameter.
    #[default]
    All,
    /// Weights of convolutions and matrices. Biases, and the scale and shift of batch normalisation, do not decay.
    Weights,
}

fn default_momentum() -> f64 {
    0.9
}

impl OptimizerConfig {
    pub(super) fn check(&self, epochs: usize) -> Result<(), TrainError> {
        let o = self;
        ensure(
            o.learning_rate > 0.0 && o.learning_rate <= 100.0,
            "optimizer.learning_rate",
            o.learning_rate,
            "0 to 100",
        )?;
        ensure(
            (0.0..1.0).contains(&o.momentum),
            "optimizer.momentum",
            o.momentum,
            "0 to below 1",
        )?;
        ensure(
            (0.0..1.0).contains(&o.weight_decay),
            "optimizer.weight_decay",
            o.weight_decay,
            "0 to below 1",
        )?;
        ensure(
            (0.0..=epochs as f64).contains(&o.warmup_epochs),
            "optimizer.warmup_epochs",
            o.warmup_epochs,
            "0 to epochs",
        )?;
        if let Some(rho) = o.sam_rho {
            ensure(
                rho > 0.0 && rho <= 10.0,
                "optimizer.sam_rho",
                rho,
                "above 0, at most 10",
            )?;
        }
        Ok(())
    }
}

/// Fall of the learning rate after the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// Half a period of a cosine, down to 0.
    #[default]
    Cosine,
    /// The learning rate is multiplied by `gamma` at each milestone.
    MultiStep {
        /// Milestones as fractions of the run, ascending and below 1.
        milestones: Vec<f64>,
        /// Factor of the learning rate at each milestone; above 0, at most 1.
        gamma: f64,
    },
}

impl ScheduleConfig {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        if let ScheduleConfig::MultiStep { milestones, gamma } = self {
            let ascending = milestones.windows(2).all(|w| w[0] < w[1]);
            let inside = milestones.iter().all(|m| (0.0..1.0).contains(m));
            ensure(
                ascending && inside,
                "schedule.milestones",
                format!("{milestones:?}"),
                "ascending fractions below 1",
            )?;
            ensure(
                *gamma > 0.0 && *gamma <= 1.0,
                "schedule.gamma",
                gamma,
                "above 0, at most 1",
            )?;
        }
        Ok(())
    }
}
