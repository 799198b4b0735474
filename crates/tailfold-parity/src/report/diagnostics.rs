//! Diagnostics next to the verdict: flips, distances, masses.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

use super::Sides;

/// Decisions that moved from one class to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlipPair {
    /// The reference's class.
    pub from: usize,
    /// The candidate's class.
    pub to: usize,
    /// Group of the reference's class.
    pub from_group: Group,
    /// Group of the candidate's class.
    pub to_group: Group,
    /// Number of images.
    pub images: usize,
}

/// Decisions that moved between classes of two groups, or of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupFlip {
    /// Group of the reference's class.
    pub from: Group,
    /// Group of the candidate's class.
    pub to: Group,
    /// Number of images.
    pub images: usize,
}

/// One image for which the two models give different classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flip {
    /// Index of the image, from 0.
    pub image: usize,
    /// Class of the image.
    pub label: usize,
    /// Group of the image's class.
    pub group: Group,
    /// Class given by each side; `None` when a logit is NaN or infinite.
    pub decisions: Sides<Option<usize>>,
    /// Probability (softmax) of each side's class, by that side.
    pub confidence: Sides<f64>,
    /// Probability of the true class.
    pub label_probability: Sides<f64>,
}

impl Flip {
    /// Returns whether the image is right in the reference and wrong in the candidate.
    pub fn is_lost(&self) -> bool {
        self.decisions.reference == Some(self.label)
    }

    /// Returns whether the image is wrong in the reference and right in the candidate.
    pub fn is_gained(&self) -> bool {
        self.decisions.candidate == Some(self.label)
    }
}

/// Distance between the logits of the candidate and the reference.
///
/// A constant added to all logits of an image changes neither decisions nor probabilities, but it changes `rms` and
/// [`crate::Report::max_abs_logit_diff`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogitDistance {
    /// Root mean square of the differences.
    pub rms: f64,
    /// 10 log10 of (sum of squares of the reference, with each image's mean removed) / (sum of squares of the
    /// differences, likewise); absent when the logits are equal.
    pub signal_to_noise_db: Option<f64>,
    /// Mean over images of the Kullback-Leibler divergence of the candidate's probabilities from the reference's, in nats.
    pub mean_kl: f64,
}

/// The shares of labels, decisions and probability of one group, as shares of all images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Masses {
    /// Share of images whose label is in the group.
    pub labels: f64,
    /// Share of images for which each side gives a class of the group.
    pub decisions: Sides<f64>,
    /// Mean probability (softmax) that each side gives to the group's classes.
    pub probability: Sides<f64>,
}
