//! Comparison of reference and candidate on one set of classes.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

use crate::Verdict;

/// Comparison of reference and candidate on one set of classes.
///
/// Accuracies are shares in 0..1. Fields that end in `_pp` are in percentage points; differences are negative when
/// the candidate is worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Verdict on this set alone.
    pub verdict: Verdict,
    /// Number of images.
    pub images: usize,
    /// Number of images that would be as informative with equally many per class; below `images` when the numbers
    /// differ.
    pub effective_images: f64,
    /// Number of classes with images.
    pub classes: usize,
    /// Number of classes without images; they are left out.
    pub unseen_classes: usize,
    /// Accuracy of the reference; for a group, the mean of its classes' accuracies.
    pub reference_top1: f64,
    /// Accuracy of the candidate, computed in the same way.
    pub candidate_top1: f64,
    /// Accuracy of the candidate minus accuracy of the reference.
    pub delta_pp: f64,
    /// Exact one-sided lower bound of the difference, at the policy's level.
    pub lower_bound_pp: f64,
    /// Exact one-sided upper bound of the difference, at the policy's level.
    pub upper_bound_pp: f64,
    /// Accepted loss.
    pub margin_pp: f64,
    /// Exact p-value for H0: the loss is at least the margin. The set passes only if this p-value is at most the
    /// policy's level.
    pub margin_p: f64,
    /// Bounds by resampling, to compare with the exact bounds.
    pub bootstrap: Bootstrap,
    /// Candidate's accuracy as a share of the reference's; absent when the reference is never right.
    pub retained: Option<f64>,
    /// Whether `retained` is at least the share that the policy requires.
    pub keeps_min_retained: bool,
    /// Number of images that exactly one of the two models gets right: `gained + lost`.
    pub discordant: usize,
    /// Number of images that are wrong in the reference and right in the candidate.
    pub gained: usize,
    /// Number of images that are right in the reference and wrong in the candidate.
    pub lost: usize,
    /// McNemar's exact two-sided p-value, a diagnostic without influence on the verdict.
    pub mcnemar_p: f64,
    /// Any larger margin would pass, as long as the required share is retained.
    pub smallest_margin_pp: f64,
    /// For an inconclusive verdict, the approximate number of images of this set at which the data would decide, if
    /// the flip rates stay the same. With exactly this number, about half of all samples would still not decide, so
    /// use more.
    pub images_needed: Option<usize>,
    /// Range of the candidate's accuracy over all ways to break its ties.
    pub ties: TieBracket,
}

/// Bounds by a paired bootstrap, stratified by class: the images of each class are resampled with replacement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bootstrap {
    /// Quantile of the differences at the policy's level.
    pub lower_bound_pp: f64,
    /// Quantile at one minus the policy's level.
    pub upper_bound_pp: f64,
}

/// Range of the accuracy over all ways to break ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TieBracket {
    /// Number of images of this set with a tie at the top of the candidate's logits.
    pub images: usize,
    /// Accuracy if every tie that can be wrong is wrong.
    pub least_top1: f64,
    /// Accuracy if every tie that can be right is right.
    pub most_top1: f64,
}

/// One value for each group that has classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Groups<T> {
    /// Value for the classes with many training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<T>,
    /// Value for the classes in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<T>,
    /// Value for the classes with few training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few: Option<T>,
}

impl<T> Groups<T> {
    /// Calls `of` for each group.
    ///
    /// # Errors
    /// The first error of `of`, from the most frequent group on.
    pub(crate) fn of<E>(mut of: impl FnMut(Group) -> Result<Option<T>, E>) -> Result<Self, E> {
        Ok(Self {
            many: of(Group::Many)?,
            medium: of(Group::Medium)?,
            few: of(Group::Few)?,
        })
    }

    /// Returns the value of one group; `None` when the model has no class in the group.
    pub fn get(&self, group: Group) -> Option<&T> {
        match group {
            Group::Many => self.many.as_ref(),
            Group::Medium => self.medium.as_ref(),
            Group::Few => self.few.as_ref(),
        }
    }

    /// Returns the existing groups with their values, most frequent first.
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
