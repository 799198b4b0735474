//! What a comparison found: the object behind `parity --json`, schema `tailfold.parity/1`.

use std::error::Error;
use std::fmt;

use serde::Serialize;
use tailfold_spec::Group;

use crate::Policy;

/// What a comparison says, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The candidate holds the policy.
    Pass,
    /// The images cannot tell.
    Inconclusive,
    /// The candidate does not hold the policy.
    Fail,
    /// Nothing could be compared.
    Error,
}

impl Verdict {
    /// Exit code of a command: 0 holds, 1 does not, 2 could not check, 3 cannot tell.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Inconclusive => 3,
        }
    }

    /// `pass`, `inconclusive`, `fail` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sides<T> {
    /// Of the reference.
    pub reference: T,
    /// Of the candidate.
    pub candidate: T,
}

/// Reference against candidate on one set of classes.
///
/// Accuracies are shares in 0..1; what ends in `_pp` is in percentage points, negative when the candidate is worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// One-sided lower bound of the difference, at the policy's level.
    pub lower_bound_pp: f64,
    /// One-sided upper bound of the difference, at the policy's level.
    pub upper_bound_pp: f64,
    /// Accepted loss; the set passes while `lower_bound_pp > -margin_pp`.
    pub margin_pp: f64,
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
    /// Any margin above this one would pass; absent when the share kept is too small, which no margin mends.
    pub smallest_margin_pp: Option<f64>,
    /// When inconclusive: about how many images of this set would decide, if the rates of flips stay as they are.
    /// With that many, chance still decides the other way about half of the time: take more.
    pub images_needed: Option<usize>,
}

/// The groups that have classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Groups {
    /// Classes with more than 100 training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<Comparison>,
    /// Classes with 20 to 100 training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<Comparison>,
    /// Classes with fewer than 20 training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few: Option<Comparison>,
}

impl Groups {
    /// The comparison of one group; `None` when the model has no such class.
    pub fn get(&self, group: Group) -> Option<&Comparison> {
        match group {
            Group::Many => self.many.as_ref(),
            Group::Medium => self.medium.as_ref(),
            Group::Few => self.few.as_ref(),
        }
    }
}

/// A class on which the candidate is worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Always [`Report::SCHEMA`].
    pub schema: &'static str,
    /// The worst of all rules.
    pub verdict: Verdict,
    /// The rule that decided: `non_finite`, `few`, `medium`, `many`, `overall`, `ties`, `agreement` or
    /// `max_abs_logit_diff`. On a pass, the set that came nearest to its margin.
    pub decided_by: &'static str,
    /// Why, in sentences, the deciding one first. On anything but a pass, one for each rule that does not hold.
    pub reasons: Vec<String>,
    /// What a reader should know and no rule covers.
    pub warnings: Vec<String>,
    /// Images compared.
    pub images: usize,
    /// All images.
    pub overall: Comparison,
    /// By training frequency of their class.
    pub groups: Groups,
    /// Images to which the two do not give the same class.
    pub flips: usize,
    /// Flips to a class with more training images than the reference's choice.
    pub flips_toward_frequent: usize,
    /// Flips to a class with fewer training images than the reference's choice.
    pub flips_toward_rare: usize,
    /// Images with a tie at the top.
    pub ties: Sides<usize>,
    /// Images with a NaN or infinite logit; they count as wrong.
    pub non_finite: Sides<usize>,
    /// Share of images to which both give the same class.
    pub agreement: f64,
    /// Largest difference of any logit; absent when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// Up to five classes on which the candidate loses most, worst first.
    pub worst_classes: Vec<WorstClass>,
    /// Back ends that ran; the caller's to fill.
    pub backends: Sides<String>,
    /// SHA-256 of the models; the caller's to fill.
    pub model_sha256: Sides<String>,
    /// The policy applied.
    pub policy: Policy,
}

impl Report {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.parity/1";

    /// The report as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has only fields that JSON can hold")
    }

    /// Overall and the groups that exist, rarest first: an average hides the rare classes, so they are named first.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &Comparison)> {
        parts(&self.overall, &self.groups)
    }
}

/// See [`Report::parts`].
pub(crate) fn parts<'a>(
    overall: &'a Comparison,
    groups: &'a Groups,
) -> impl Iterator<Item = (&'static str, &'a Comparison)> {
    let named = |group: Group| {
        groups
            .get(group)
            .map(|comparison| (group.as_str(), comparison))
    };
    Group::ALL
        .into_iter()
        .rev()
        .filter_map(named)
        .chain([("overall", overall)])
}

/// A comparison that could not be made, in the form of a [`Report`] with nothing in it but the reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unchecked {
    /// Always [`Report::SCHEMA`].
    pub schema: &'static str,
    /// Always [`Verdict::Error`].
    pub verdict: Verdict,
    /// The error and its causes, in one sentence.
    pub reasons: Vec<String>,
}

impl Unchecked {
    /// What `error` and its causes say.
    pub fn because(error: &dyn Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason += &format!(": {error}");
            cause = error.source();
        }
        Self {
            schema: Report::SCHEMA,
            verdict: Verdict::Error,
            reasons: vec![reason],
        }
    }

    /// The error as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an error has only fields that JSON can hold")
    }
}
