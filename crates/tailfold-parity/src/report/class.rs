//! Reference against candidate, class by class.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

/// Reference against candidate on the images of one class.
///
/// A class has too few images to be judged: what it says is a warning at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassComparison {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub name: String,
    /// Its group.
    pub group: Group,
    /// Its training images.
    pub train_count: u64,
    /// Its images in this comparison.
    pub images: usize,
    /// Share of them that the reference gets right.
    pub reference_recall: f64,
    /// Share of them that the candidate gets right.
    pub candidate_recall: f64,
    /// Wrong in the reference, right in the candidate.
    pub gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub lost: usize,
    /// Exact one-sided p-value that losses are as likely as gains (McNemar).
    pub loss_p: f64,
    /// The same after Holm's correction for the number of classes with images (Scandinavian Journal of Statistics 6, 1979):
    /// below the policy's level for one class or more with a probability of at most the level, if no class loses.
    pub loss_p_holm: f64,
    /// Images that the reference gives to this class, whatever they are.
    pub reference_decisions: usize,
    /// Images that the candidate gives to this class.
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
    /// Its group.
    pub group: Group,
    /// Its training images.
    pub train_count: u64,
    /// Its images in this comparison.
    pub images: usize,
    /// Share of them that the reference gets right.
    pub reference_recall: f64,
    /// Share of them that the candidate gets right.
    pub candidate_recall: f64,
    /// Candidate minus reference, in percentage points.
    pub delta_pp: f64,
}
