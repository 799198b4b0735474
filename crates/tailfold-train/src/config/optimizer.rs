//! `[optimizer]` and `[schedule]`: how weights move.

use serde::{Deserialize, Serialize};

use super::ensure::ensure;
use crate::error::TrainError;

/// Stochastic gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Momentum, without dampening.
    #[serde(default = "default_momentum")]
    pub momentum: f64,
    /// Nesterov's form of momentum.
    #[serde(default)]
    pub nesterov: bool,
    /// L2 penalty, as a multiple of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// What the penalty is on.
    #[serde(default)]
    pub decay: Decay,
    /// Radius of sharpness-aware minimization (Foret et al., ICLR 2021): the gradient is that at the loss's highest point
    /// within this distance, to first order. Absent: the gradient where the weights are. Doubles a step's cost.
    #[serde(default)]
    pub sam_rho: Option<f64>,
    /// Epochs of linear warm-up.
    #[serde(default)]
    pub warmup_epochs: f64,
}

/// What weight decay is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// Every parameter.
    #[default]
    All,
    /// Convolutions and matrices; not what has one dimension: biases, and scale and shift of batch normalisation.
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

/// How the learning rate falls after the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// Half a cosine, to 0.
    #[default]
    Cosine,
    /// Times `gamma` at each milestone, a fraction of the run.
    MultiStep {
        /// Fractions of the run, ascending.
        milestones: Vec<f64>,
        /// Factor.
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
