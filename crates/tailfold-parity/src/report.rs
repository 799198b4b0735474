//! What a comparison found: the object behind `parity --json`, schema `tailfold.parity/1`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tailfold_spec::{Group, artifact};

use crate::{Diff, ParityError, ParityErrorKind, Policy, Verdict};

mod class;
mod diagnostics;
mod part;
mod run;

pub use class::{ClassComparison, WorstClass};
pub use diagnostics::{Flip, FlipPair, GroupFlip, LogitDistance, Masses};
pub use part::{Bootstrap, Comparison, Groups, TieBracket};
pub use run::{Latency, Run, RunSide};

pub(crate) use part::parts;

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides<T> {
    /// Of the reference.
    pub reference: T,
    /// Of the candidate.
    pub candidate: T,
}

/// The result of a comparison.
///
/// ```
/// use tailfold_parity::{ComparedModel, Logits, Policy, Verdict, compare};
///
/// let model = ComparedModel::new(vec!["cat".into(), "lynx".into()], vec![500, 5]);
/// let labels: Vec<usize> = (0..2000).map(|image| image % 2).collect();
/// let rows = |cat: f32| labels.iter().flat_map(move |&label| if label == 0 { [cat, 1.0] } else { [0.5, 3.0] });
/// let reference = Logits::new(rows(2.0).collect(), 2)?;
/// let candidate = Logits::new(rows(0.9).collect(), 2)?;
///
/// // The candidate takes every cat for a lynx.
/// let report = compare(&reference, &candidate, &labels, &model, &Policy::default())?;
/// assert_eq!(report.verdict, Verdict::Fail);
/// assert_eq!((report.flips, report.flips_toward_rare), (1000, 1000));
/// assert!(report.to_markdown().contains("cat") && report.to_html(&[]).contains("<html"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Always [`Report::SCHEMA`].
    pub schema: String,
    /// The worst of all rules.
    pub verdict: Verdict,
    /// The rule that decided: `chance`, `non_finite`, `few`, `medium`, `many`, `overall`, `ties`, `agreement`,
    /// `max_abs_logit_diff` or `baseline`. On a pass, the set that came nearest to its margin.
    pub decided_by: String,
    /// Why, in sentences, the deciding one first. On anything but a pass, one for each rule that does not hold.
    pub reasons: Vec<String>,
    /// What a reader should know and no rule covers.
    pub warnings: Vec<String>,
    /// Name of the model that was judged; the caller's to fill.
    pub model: String,
    /// Images compared.
    pub images: usize,
    /// All images.
    pub overall: Comparison,
    /// By training frequency of their class.
    pub groups: Groups<Comparison>,
    /// Images to which the two do not give the same class.
    pub flips: usize,
    /// Flips to a class with more training images than the reference's choice.
    pub flips_toward_frequent: usize,
    /// Flips to a class with fewer training images than the reference's choice.
    pub flips_toward_rare: usize,
    /// Pairs of classes between which most decisions moved, up to [`Report::PAIRS`].
    pub flip_pairs: Vec<FlipPair>,
    /// All flips with a class on both sides, by groups, most images first.
    #[serde(default)]
    pub group_flips: Vec<GroupFlip>,
    /// The worst flips, up to [`Report::WORST_FLIPS`]: lost images first, those of the rarest classes before others.
    pub worst_flips: Vec<Flip>,
    /// Images with a tie at the top; the lowest class wins.
    pub ties: Sides<usize>,
    /// Images with a NaN or infinite logit; they count as wrong.
    pub non_finite: Sides<usize>,
    /// Share of images to which both give the same class.
    pub agreement: f64,
    /// Largest difference of any logit; absent when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// How far the logits lie apart; absent when one is NaN or infinite.
    pub logit_distance: Option<LogitDistance>,
    /// Expected calibration error: mean distance of confidence and accuracy over 15 equal bins of confidence, weighted by
    /// their images (Guo et al., ICML 2017). Images with a NaN or infinite logit are left out.
    pub calibration_error: Sides<f64>,
    /// Where each side puts its decisions and its probability.
    pub masses: Groups<Masses>,
    /// Every class with images, label order.
    pub classes: Vec<ClassComparison>,
    /// Up to five classes on which the candidate loses most, worst first.
    pub worst_classes: Vec<WorstClass>,
    /// Back ends that ran; the caller's to fill.
    pub backends: Sides<String>,
    /// SHA-256 of the models; the caller's to fill.
    pub model_sha256: Sides<String>,
    /// What changed since an accepted run, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Diff>,
    /// What ran and how to run it again; the caller's to fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The policy applied.
    pub policy: Policy,
}

impl Report {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.parity/1";
    /// Most entries of `flip_pairs`: all that there can be between 20 classes.
    pub const PAIRS: usize = 380;
    /// Most entries of `worst_flips`.
    pub const WORST_FLIPS: usize = 24;

    /// The report as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has only fields that JSON can hold")
    }

    /// Reads a report that was written before.
    ///
    /// # Errors
    /// [`ParityErrorKind::Report`] naming the file that is cut, is no report or has another version;
    /// [`ParityErrorKind::File`] when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, ParityError> {
        /// All that every version has.
        #[derive(Deserialize)]
        struct Version {
            schema: String,
            verdict: Verdict,
        }
        let text = artifact::read_to_string(path)?;
        let damaged = |source| {
            ParityErrorKind::Report
                .error(format!("{} is not a whole parity report", path.display()))
                .caused_by(source)
        };
        let version: Version = serde_json::from_str(&text).map_err(damaged)?;
        if version.schema != Self::SCHEMA {
            return Err(ParityErrorKind::Report.error(format!(
                "{} has the schema `{found}`, expected `tailfold.parity/1`",
                path.display(),
                found = version.schema
            )));
        }
        if version.verdict == Verdict::Error {
            return Err(ParityErrorKind::Report.error(format!(
                "{} tells of a comparison that could not be made",
                path.display()
            )));
        }
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Overall and the groups that exist, rarest first: an average hides the rare classes, so they are named first.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &Comparison)> {
        parts(&self.overall, &self.groups)
    }

    /// One part by its name: `overall`, `many`, `medium` or `few`.
    pub fn part(&self, name: &str) -> Option<&Comparison> {
        self.parts()
            .find(|(part, _)| *part == name)
            .map(|(_, part)| part)
    }

    /// Group of a class by its name in this report.
    pub fn group_of(&self, class: usize) -> Option<Group> {
        self.classes
            .iter()
            .find(|c| c.class == class)
            .map(|c| c.group)
    }
}
