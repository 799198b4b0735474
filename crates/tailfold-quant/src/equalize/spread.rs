//! Activations whose channels differ too much in magnitude for one per-tensor scale.

use std::fmt;

use serde::Serialize;
use tailfold_onnx::Model;

use super::{Between, pairs};
use crate::error::QuantError;

/// A channel that is smaller than the largest by this factor has at most 4 of the 256 quantization steps.
const APART: f32 = 64.0;
/// An activation is reported when more than this share of its contribution is in such channels.
const LOST: f64 = 0.25;

/// An activation between two layers that can be equalized, whose channels differ too much in magnitude for one scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelSpread {
    /// The activation that the second layer reads.
    pub tensor: String,
    /// Magnitude of the largest channel over the magnitude of the smallest contributing one; a channel's
    /// magnitude is its largest weight in the first layer.
    pub ratio: f32,
    /// Share of the activation's contribution to the second layer that is in channels with at most 4 steps, 0 to 1. The
    /// contribution of a channel is the product of its largest weights in both layers.
    pub lost: f64,
}

impl ChannelSpread {
    /// Returns the activation of `model` with the largest share of lost contribution; `None` when no activation has to
    /// be reported.
    ///
    /// A channel that is small and stays small does no harm, for example a pruned filter. A small channel
    /// that the next layer amplifies does harm, and equalization corrects it.
    ///
    /// # Errors
    /// [`QuantError`] when a weight is not a float constant.
    pub(crate) fn of(model: &Model) -> Result<Option<Self>, QuantError> {
        let mut worst: Option<Self> = None;
        for pair in pairs(model.graph()) {
            let Some(between) = Between::of(model, &pair)? else {
                continue;
            };
            let ends: Vec<[f32; 2]> = (0..between.channels).map(|c| between.largest(c)).collect();
            let largest = ends.iter().fold(0.0_f32, |m, [making, _]| m.max(*making));
            let (mut all, mut lost, mut ratio) = (0.0_f64, 0.0_f64, 1.0_f32);
            for [making, reading] in ends {
                let contribution = f64::from(making) * f64::from(reading);
                all += contribution;
                if contribution > 0.0 && making * APART < largest {
                    lost += contribution;
                    ratio = ratio.max(largest / making);
                }
            }
            let found = Self {
                tensor: model.nodes()[pair.second].input[0].clone(),
                ratio,
                lost: lost / all,
            };
            let before = worst.as_ref().map_or(LOST, |w| w.lost);
            if found.lost > before {
                worst = Some(found);
            }
        }
        Ok(worst)
    }
}

impl fmt::Display for ChannelSpread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the channels of `{}` lie up to {:.0} times apart, more than one scale of 8 bits holds",
            self.tensor, self.ratio
        )
    }
}
