//! The choices of a quantization.

use std::collections::BTreeSet;

use crate::error::QuantError;
use crate::float::FloatModel;
use crate::observer::ObserverKind;
use crate::rounding::Rounding;
use crate::target::Target;
use crate::weights::WeightBits;

/// What the last layer's weights become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadPrecision {
    /// int8 with one scale a class; bias and logits as the target has them.
    #[default]
    Int8,
    /// Float.
    Float,
}

/// Choices of a quantization.
#[derive(Clone, Debug)]
pub struct Options {
    /// How ranges are chosen.
    pub observer: ObserverKind,
    /// What the head becomes.
    pub head: HeadPrecision,
    /// The runtime that the file is made for.
    pub target: Target,
    /// Bits of a weight's code.
    pub weight_bits: WeightBits,
    /// How weights become codes.
    pub rounding: Rounding,
    /// Move scale between layers first, so that the channels between them span alike (cross-layer equalization).
    pub equalize: bool,
    /// Give each bias what its channel's mean lost.
    pub correct_bias: bool,
    /// Give the last bias what keeps every class's mass on the calibration images.
    pub rebalance: bool,
    /// Keep histograms of all activations, to say what the codes do to them.
    pub statistics: bool,
    /// Layers to leave in float, by the node's name.
    pub kept_in_float: BTreeSet<String>,
}

impl Default for Options {
    /// Everything that gains accuracy without a wish of the user's.
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
    /// Names of the layers that stay in float.
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

    /// How many times each calibration image runs through a network: to choose ranges and codes, and to finish with them.
    pub fn passes(&self) -> [usize; 2] {
        let sampled = usize::from(self.samples_windows());
        // A sample shows the float network's answers too.
        [1 + sampled, usize::from(self.rebalance) * (2 - sampled)]
    }
}
