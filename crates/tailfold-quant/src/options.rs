//! Options of a quantization.

use std::collections::BTreeSet;

use crate::error::QuantError;
use crate::float::FloatModel;
use crate::observer::ObserverKind;
use crate::rounding::Rounding;
use crate::target::Target;
use crate::weights::WeightBits;

/// Precision of the last layer's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadPrecision {
    /// int8 weights with one scale per class; the target decides the form of bias and logits.
    #[default]
    Int8,
    /// Float weights.
    Float,
}

/// Options of a quantization.
#[derive(Clone, Debug)]
pub struct Options {
    /// How activation ranges are chosen.
    pub observer: ObserverKind,
    /// Precision of the head's weights.
    pub head: HeadPrecision,
    /// The runtime that the file is made for.
    pub target: Target,
    /// Bits per quantized weight.
    pub weight_bits: WeightBits,
    /// How weights are rounded.
    pub rounding: Rounding,
    /// Cross-layer equalization: first rescale the channels between layers to similar ranges.
    pub equalize: bool,
    /// Bias correction: add each channel's mean quantization error to its bias.
    pub correct_bias: bool,
    /// Class re-balancing: shift the last bias to keep every class's mass on the calibration images.
    pub rebalance: bool,
    /// Keep histograms of all activations, for statistics of their quantization error.
    pub statistics: bool,
    /// Names of the nodes to leave in float.
    pub kept_in_float: BTreeSet<String>,
}

impl Default for Options {
    /// Options that improve accuracy and need no decision by the user.
    fn default() -> Self {
        Self {
            observer: ObserverKind::default(),
            head: HeadPrecision::default(),
            target: Target::default(),
            weight_bits: WeightBits::default(),
            rounding: Rounding::default(),
            equalize: false,
            correct_bias: true,
            rebalance: true,
            statistics: false,
            kept_in_float: BTreeSet::new(),
        }
    }
}

impl Options {
    /// Returns the names of the layers that stay in float.
    ///
    /// # Errors
    /// [`QuantError`] when the model has no single output.
    pub fn kept(&self, float: &FloatModel) -> Result<BTreeSet<String>, QuantError> {
        let mut kept = self.kept_in_float.clone();
        if self.head == HeadPrecision::Float {
            kept.extend(float.head()?.map(|n| n.label().to_owned()));
        }
        Ok(kept)
    }

    pub(crate) fn samples_windows(&self) -> bool {
        self.correct_bias || self.rounding == Rounding::Adaptive
    }

    /// Returns how many times each calibration image runs through a network: first to choose ranges and
    /// weights, then to re-balance the last bias.
    pub fn passes(&self) -> [usize; 2] {
        let sampled = usize::from(self.samples_windows());
        // The sampling run also returns the float network's logits.
        [1 + sampled, usize::from(self.rebalance) * (2 - sampled)]
    }
}
