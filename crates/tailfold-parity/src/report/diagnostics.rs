//! Diagnostics beside the verdict: flips, distances, masses.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

use super::Sides;

/// Decisions that moved from one class to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlipPair {
    /// Class of the reference.
    pub from: usize,
    /// Class of the candidate.
    pub to: usize,
    /// Group of the reference's class.
    pub from_group: Group,
    /// Group of the candidate's class.
    pub to_group: Group,
    /// Images.
    pub images: usize,
}

/// Decisions that moved from a class of one group to a class of another, or of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupFlip {
    /// Group of the reference's class.
    pub from: Group,
    /// Group of the candidate's class.
    pub to: Group,
    /// Images.
    pub images: usize,
}

/// One image to which the two do not give the same class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flip {
    /// The image, from 0.
    pub image: usize,
    /// Its class.
    pub label: usize,
    /// Its class's group.
    pub group: Group,
    /// Class given by each side; `None` where a logit is NaN or infinite.
    pub decisions: Sides<Option<usize>>,
    /// Probability (softmax) of that class, by the side that gave it.
    pub confidence: Sides<f64>,
    /// Probability of the true class.
    pub label_probability: Sides<f64>,
}

impl Flip {
    /// Right in the reference, wrong in the candidate.
    pub fn is_lost(&self) -> bool {
        self.decisions.reference == Some(self.label)
    }

    /// Wrong in the reference, right in the candidate.
    pub fn is_gained(&self) -> bool {
        self.decisions.candidate == Some(self.label)
    }
}

/// How far the candidate's logits lie from the reference's.
///
/// A constant added to all logits of an image changes nothing that a classifier says, and yet the first two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogitDistance {
    /// Root of the mean squared difference.
    pub rms: f64,
    /// 10 log10 of (sum of squares of the reference, each image's mean taken off) / (sum of squares of the differences,
    /// likewise); absent when the logits are equal.
    pub signal_to_noise_db: Option<f64>,
    /// Mean over images of the Kullback-Leibler divergence of the candidate's probabilities from the reference's, in nats.
    pub mean_kl: f64,
}

/// Where decisions and probability go, of one group; shares of all images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Masses {
    /// Images of the group's classes.
    pub labels: f64,
    /// Images that each side gives to the group's classes.
    pub decisions: Sides<f64>,
    /// Mean probability (softmax) that each side gives to them.
    pub probability: Sides<f64>,
}
