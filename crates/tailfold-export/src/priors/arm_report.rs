//! The rows of the report: each prior, the ways to serve it, and their differences.

use serde::Serialize;
use tailfold_spec::Mean;

/// One prior.
#[derive(Debug, Serialize)]
pub struct PriorReport {
    /// Name of the prior.
    pub prior: String,
    /// Mass of each class, `[classes]`, sum 1.
    pub masses: Vec<f64>,
    /// Images of each class in a drawn set, `[classes]`.
    pub drawn_counts: Vec<usize>,
    /// Number of images drawn from the prior itself with the same standard error as all weighted test images.
    pub effective_images: f64,
    /// The ways to serve the prior.
    pub arms: Vec<ArmReport>,
    /// Each solved arm minus each baseline, paired by image.
    pub differences: Vec<Difference>,
}

/// A way to serve the prior.
#[derive(Debug, Serialize)]
pub struct ArmReport {
    /// Short name of the way.
    pub name: &'static str,
    /// Description of the way.
    pub title: &'static str,
    /// Accuracy under the prior, from all test images: each class is weighted by its prior mass.
    pub expected: Mean,
    /// Accuracy on the drawn sets. The standard error is over seeds: it covers the drawing, not the choice of the test
    /// images.
    pub drawn: Option<Mean>,
    /// Mean recall of the classes with many training images; null without such classes.
    pub many: Option<f64>,
    /// The same for the medium classes.
    pub medium: Option<f64>,
    /// The same for the few classes.
    pub few: Option<f64>,
    /// Total variation distance between the top-1 shares and the prior, in percent: half of
    /// `sum_j |answered_j - prior_j|`.
    pub misplaced: f64,
    /// Offsets that are added to the raw scores, `[classes]`, in logits.
    pub offsets: Vec<f32>,
    /// Why the solver stopped; null for offsets without a solver.
    pub stop: Option<String>,
}

/// The difference between two ways to serve a prior, on the same images.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Short name of the solved way.
    pub arm: &'static str,
    /// Short name of the way that it is compared with.
    pub minus: &'static str,
    /// Difference of the expected accuracies.
    pub expected: Mean,
    /// Difference on the drawn sets.
    pub drawn: Option<Mean>,
}
