//! Reference against candidate on one set of classes.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

use crate::Verdict;

/// Reference against candidate on one set of classes.
///
/// Accuracies are shares in 0..1; what ends in `_pp` is in percentage points, negative when the candidate is worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// What this set says on its own.
    pub verdict: Verdict,
    /// Images.
    pub images: usize,
    /// Images that would be as informative if each class had equally many; below `images` when they differ.
    pub effective_images: f64,
    /// Classes with images.
    pub classes: usize,
    /// Classes without images, which are left out.
    pub unseen_classes: usize,
    /// Accuracy of the reference; of a group, the mean of its classes' accuracies.
    pub reference_top1: f64,
    /// Accuracy of the candidate, likewise.
    pub candidate_top1: f64,
    /// Candidate minus reference.
    pub delta_pp: f64,
    /// One-sided lower bound of the difference, at the policy's level, exact.
    pub lower_bound_pp: f64,
    /// One-sided upper bound of the difference, at the policy's level, exact.
    pub upper_bound_pp: f64,
    /// Accepted loss.
    pub margin_pp: f64,
    /// Exact p-value of "the candidate loses the margin or more"; the set passes while it is at most the policy's level.
    pub margin_p: f64,
    /// Bounds by resampling, beside the exact ones.
    pub bootstrap: Bootstrap,
    /// Candidate's accuracy as a share of the reference's; absent when the reference is never right.
    pub retained: Option<f64>,
    /// Whether that share is at least the policy's.
    pub keeps_min_retained: bool,
    /// Images that exactly one of the two gets right: `gained + lost`.
    pub discordant: usize,
    /// Wrong in the reference, right in the candidate.
    pub gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub lost: usize,
    /// McNemar's exact two-sided p-value; a diagnostic that decides nothing.
    pub mcnemar_p: f64,
    /// Any margin above this one would pass, as far as margins go.
    pub smallest_margin_pp: f64,
    /// When inconclusive: about how many images of this set would decide, if the rates of flips stay as they are.
    /// With that many, chance still decides the other way about half of the time: take more.
    pub images_needed: Option<usize>,
    /// Accuracy of the candidate if its ties were broken otherwise.
    pub ties: TieBracket,
}

/// Bounds by a bootstrap of pairs, stratified by class: the images of each class are drawn again with replacement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bootstrap {
    /// Quantile of the differences at the policy's level.
    pub lower_bound_pp: f64,
    /// Quantile at one minus the policy's level.
    pub upper_bound_pp: f64,
}

/// Between which accuracies the way of breaking ties decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TieBracket {
    /// Images of this set with a tie at the top of the candidate's logits.
    pub images: usize,
    /// If each tie that can go wrong went wrong.
    pub least_top1: f64,
    /// If each tie that can go right went right.
    pub most_top1: f64,
}

/// One value for each group that has classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Groups<T> {
    /// Classes with many training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<T>,
    /// Classes between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<T>,
    /// Classes with few training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few: Option<T>,
}

impl<T> Groups<T> {
    /// What `of` says of each group.
    ///
    /// # Errors
    /// The first of `of`, from the most frequent group on.
    pub(crate) fn of<E>(mut of: impl FnMut(Group) -> Result<Option<T>, E>) -> Result<Self, E> {
        Ok(Self {
            many: of(Group::Many)?,
            medium: of(Group::Medium)?,
            few: of(Group::Few)?,
        })
    }

    /// The value of one group; `None` when the model has no such class.
    pub fn get(&self, group: Group) -> Option<&T> {
        match group {
            Group::Many => self.many.as_ref(),
            Group::Medium => self.medium.as_ref(),
            Group::Few => self.few.as_ref(),
        }
    }

    /// The groups that there are, most frequent first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Group, &T)> {
        Group::ALL
            .into_iter()
            .filter_map(|group| Some((group, self.get(group)?)))
    }
}

/// See [`crate::Report::parts`].
pub(crate) fn parts<'a>(
    overall: &'a Comparison,
    groups: &'a Groups<Comparison>,
) -> impl Iterator<Item = (&'static str, &'a Comparison)> {
    groups
        .iter()
        .rev()
        .map(|(group, part)| (group.as_str(), part))
        .chain([("overall", overall)])
}
