//! The rows of the report of re-targeting.

use serde::Serialize;
use tailfold_spec::{Group, Mean};

/// One class of the sample.
#[derive(Clone, Debug, Serialize)]
pub struct ClassRow {
    /// Name of the class.
    pub name: String,
    /// Group of the class; null if the number of training images is unknown.
    pub group: Option<Group>,
    /// Number of training images of the class; null if it is unknown.
    pub train_count: Option<u64>,
    /// Images of the class among those that offsets were solved on.
    pub sample_images: usize,
    /// Mass that the prior gives the class.
    pub prior: f64,
    /// Mass on the weighted sample under the offsets of a plain export: the mean probability of the class, or at
    /// temperature 0 the share of images with the class as top-1.
    pub mass_before: f64,
    /// The same under the new offsets.
    pub mass_after: f64,
    /// Share of the weighted sample with the class as top-1, under the offsets of a plain export.
    pub answered_before: f64,
    /// The same under the new offsets.
    pub answered_after: f64,
    /// Offset of a plain export, in logits.
    pub offset_before: f32,
    /// The new offset, in logits.
    pub offset_after: f32,
}

/// Expected accuracy under the prior, from labelled images that the offsets were not solved on.
#[derive(Clone, Debug, Serialize)]
pub struct Expected {
    /// Data spec.
    pub data: String,
    /// Number of images.
    pub images: usize,
    /// Number of images drawn from the prior itself with the same standard error: `(sum w)^2 / sum w^2`.
    pub effective_images: f64,
    /// Accuracy: `sum_j prior_j recall_j`.
    pub before: Mean,
    /// The same under the new offsets.
    pub after: Mean,
    /// After minus before, image by image.
    pub difference: Mean,
    /// One row per class, in label order.
    pub classes: Vec<ExpectedClass>,
}

/// One class of the labelled images.
#[derive(Clone, Debug, Serialize)]
pub struct ExpectedClass {
    /// Name of the class.
    pub name: String,
    /// Number of images of the class.
    pub images: usize,
    /// Recall under the offsets of a plain export.
    pub recall_before: f64,
    /// Recall under the new offsets.
    pub recall_after: f64,
    /// Share of images with the class as top-1 under the prior, with the offsets of a plain export.
    pub answered_before: f64,
    /// The same under the new offsets.
    pub answered_after: f64,
}
