//! Channels of one activation that lie too far apart for one scale.

use std::fmt;

use serde::Serialize;
use tailfold_onnx::Model;

use super::{Between, pairs};
use crate::error::QuantError;

/// A channel that is this much smaller than the largest has 4 of the 256 steps or fewer.
const APART: f32 = 64.0;
/// Least part of what an activation contributes that such channels must have to be named.
const LOST: f64 = 0.25;

/// An activation between two layers that can be equalized, whose channels one scale does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelSpread {
    /// The activation that the second layer reads.
    pub tensor: String,
    /// The largest channel divided by the smallest that contributes, by the largest weight that makes each.
    pub ratio: f32,
    /// Part of the activation's contribution to the next layer that is in channels of 4 steps or fewer, 0 to 1. A channel
    /// contributes the product of the largest weight that makes it and the largest that reads it.
    pub lost: f64,
}

impl ChannelSpread {
    /// The activation of `model` that loses most; `None` when all are held.
    ///
    /// Channels that are small and stay small do no harm: those of a pruned filter, say. Channels that the next layer enlarges
    /// again do, and just those can be equalized.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when a weight is not a float constant.
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
