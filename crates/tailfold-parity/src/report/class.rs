//! Comparison of reference and candidate per class.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

/// Comparison of reference and candidate on the images of one class.
///
/// A class has too few images for a verdict, so it only leads to warnings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassComparison {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub name: String,
    /// Group of the class.
    pub group: Group,
    /// Number of training images of the class.
    pub train_count: u64,
    /// Number of images of the class in this comparison.
    pub images: usize,
    /// Share of the images that the reference gets right.
    pub reference_recall: f64,
    /// Share of the images that the candidate gets right.
    pub candidate_recall: f64,
    /// Number of images that are wrong in the reference and right in the candidate.
    pub gained: usize,
    /// Number of images that are right in the reference and wrong in the candidate.
    pub lost: usize,
    /// Exact one-sided p-value for H0: losses are as likely as gains (McNemar).
    pub loss_p: f64,
    /// `loss_p` after Holm's correction for the number of classes with images (Scandinavian Journal of Statistics 6,
    /// 1979). If no class loses, the probability that any class is below the policy's level is at most the level.
    pub loss_p_holm: f64,
    /// Number of images, of any class, for which the reference gives this class.
    pub reference_decisions: usize,
    /// Number of images, of any class, for which the candidate gives this class.
    pub candidate_decisions: usize,
}

/// A class on which the candidate is worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorstClass {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub name: String,
    /// Group of the class.
    pub group: Group,
    /// Number of training images of the class.
    pub train_count: u64,
    /// Number of images of the class in this comparison.
    pub images: usize,
    /// Share of the images that the reference gets right.
    pub reference_recall: f64,
    /// Share of the images that the candidate gets right.
    pub candidate_recall: f64,
    /// Recall of the candidate minus recall of the reference, in percentage points.
    pub delta_pp: f64,
}
