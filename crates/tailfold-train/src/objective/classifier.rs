//! The classifier's loss of a run, with its terms from the class counts and from the progress of the run.

use burn::prelude::*;
use tailfold_spec::Head;

use crate::casts::to_f32;
use crate::config::{LossKind, TrainConfig};
use crate::error::{TrainError, TrainErrorKind};
use crate::loss::{
    cross_entropy, effective_number_weights, focal, ldam, ldam_margins, log_prior, logit_adjusted,
    ot_dynamic_softmax,
};
use crate::offsets::OffsetState;

/// The classifier's loss of a run.
#[derive(Debug)]
pub(crate) enum ClassifierLoss {
    /// Cross-entropy; OT-dynamic softmax if there are offsets.
    Softmax,
    /// Focal loss.
    Focal {
        /// Exponent of the focal loss.
        gamma: f64,
    },
    /// LDAM with deferred re-weighting.
    Ldam {
        /// Margins in logits, `[classes]`.
        margins: Vec<f32>,
        /// Class weights of the deferred part, `[classes]`.
        weights: Vec<f32>,
        /// Progress at which the deferred part begins.
        from: f64,
    },
    /// Logit adjustment.
    LogitAdjustment {
        /// Shift in logits, `[classes]`.
        shift: Vec<f32>,
    },
}

fn narrow(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(to_f32).collect()
}

impl ClassifierLoss {
    /// Creates the loss of `config` for `classes` with `counts` training images each.
    pub(crate) fn new(
        config: &TrainConfig,
        counts: &[u64],
        classes: &[String],
    ) -> Result<Self, TrainError> {
        if matches!(config.loss, LossKind::Ldam | LossKind::LogitAdjustment)
            && let Some(empty) = counts.iter().position(|&n| n == 0)
        {
            return Err(TrainErrorKind::Images.error(format!(
                "class `{}` has no training images, but loss `{}` needs them",
                classes[empty],
                config.loss.as_str()
            )));
        }
        Ok(match config.loss {
            LossKind::Ce | LossKind::Sdot => Self::Softmax,
            LossKind::Focal => Self::Focal {
                gamma: config.focal.clone().unwrap_or_default().gamma,
            },
            LossKind::Ldam => {
                let scale = match config.network.head {
                    Head::Cosine { scale } => f64::from(scale),
                    Head::Linear => 1.0,
                };
                let ldam = config.ldam.clone().unwrap_or_default();
                Self::Ldam {
                    margins: narrow(ldam_margins(counts, ldam.max_margin * scale)),
                    weights: narrow(effective_number_weights(counts, ldam.beta)),
                    from: ldam.drw_from,
                }
            }
            LossKind::LogitAdjustment => {
                let tau = config.logit_adjustment.clone().unwrap_or_default().tau;
                Self::LogitAdjustment {
                    shift: narrow(log_prior(counts, tau)),
                }
            }
        })
    }

    /// Computes the loss of `scores`, `[n, classes]`, with `labels`, `[n]`; `[1]`.
    ///
    /// `progress` is the share of the run's epochs that are finished.
    pub(crate) fn value(
        &self,
        scores: Tensor<2>,
        labels: Tensor<1, Int>,
        progress: f64,
        offsets: Option<&OffsetState>,
    ) -> Tensor<1> {
        let device = scores.device();
        let vector = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
        match self {
            Self::Softmax => match offsets {
                Some(offsets) => ot_dynamic_softmax(scores, vector(&offsets.shift()), labels),
                None => cross_entropy(scores, labels),
            },
            Self::Focal { gamma } => focal(scores, labels, *gamma),
            Self::Ldam {
                margins,
                weights,
                from,
            } => {
                let weights = (progress >= *from).then(|| vector(weights));
                ldam(scores, labels, vector(margins), weights)
            }
            Self::LogitAdjustment { shift } => logit_adjusted(scores, vector(shift), labels),
        }
    }
}

#[cfg(test)]
mod tests;
