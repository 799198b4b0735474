//! The result of a comparison, schema `tailfold.parity/1`.

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
    /// Value of the reference.
    pub reference: T,
    /// Value of the candidate.
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
    /// The worst verdict of all rules.
    pub verdict: Verdict,
    /// The rule that decided: `chance`, `non_finite`, `few`, `medium`, `many`, `overall`, `ties`, `agreement`,
    /// `max_abs_logit_diff` or `baseline`. On a pass, the set nearest to its margin.
    pub decided_by: String,
    /// The reasons in sentences, the deciding reason first. Unless the verdict is pass, one reason per rule that does
    /// not pass.
    pub reasons: Vec<String>,
    /// Conditions that a reader should know about and that no rule covers.
    pub warnings: Vec<String>,
    /// Name of the compared model; filled in by the caller.
    pub model: String,
    /// Number of images.
    pub images: usize,
    /// Results on all images.
    pub overall: Comparison,
    /// Results on the groups of classes, by training frequency.
    pub groups: Groups<Comparison>,
    /// Number of images for which the two models give different classes.
    pub flips: usize,
    /// Number of flips to a class with more training images than the reference's class.
    pub flips_toward_frequent: usize,
    /// Number of flips to a class with fewer training images than the reference's class.
    pub flips_toward_rare: usize,
    /// Pairs of classes with the most flips, up to [`Report::PAIRS`].
    pub flip_pairs: Vec<FlipPair>,
    /// All flips with a class on both sides, per pair of groups, most images first.
    #[serde(default)]
    pub group_flips: Vec<GroupFlip>,
    /// The worst flips, up to [`Report::WORST_FLIPS`]: lost images first, rare classes before frequent ones.
    pub worst_flips: Vec<Flip>,
    /// Number of images with a tie at the top; the lowest class wins.
    pub ties: Sides<usize>,
    /// Number of images with a NaN or infinite logit; they count as wrong.
    pub non_finite: Sides<usize>,
    /// Top-1 agreement: share of images for which both models give the same class.
    pub agreement: f64,
    /// Largest difference of any logit; absent when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// Distance between the logits; absent when a logit is NaN or infinite.
    pub logit_distance: Option<LogitDistance>,
    /// Expected calibration error: mean distance between confidence and accuracy over 15 equal bins of confidence,
    /// weighted by their images (Guo et al., ICML 2017). Images with a NaN or infinite logit are left out.
    pub calibration_error: Sides<f64>,
    /// Distribution of each side's decisions and probability over the groups.
    pub masses: Groups<Masses>,
    /// Every class with images, in label order.
    pub classes: Vec<ClassComparison>,
    /// Up to five classes with the largest losses, worst first.
    pub worst_classes: Vec<WorstClass>,
    /// Back ends that ran the models; filled in by the caller.
    pub backends: Sides<String>,
    /// SHA-256 of the models; filled in by the caller.
    pub model_sha256: Sides<String>,
    /// Changes since an accepted run, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Diff>,
    /// The run and the command to repeat it; filled in by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The applied policy.
    pub policy: Policy,
}

impl Report {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.parity/1";
    /// Largest number of entries in `flip_pairs`: all pairs of 20 classes.
    pub const PAIRS: usize = 380;
    /// Largest number of entries in `worst_flips`.
    pub const WORST_FLIPS: usize = 24;

    /// Returns the report as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has only fields that JSON can hold")
    }

    /// Reads a report from the file `path`.
    ///
    /// # Errors
    /// [`ParityErrorKind::Report`] naming the file when it is cut short, is not a report or has another version;
    /// [`ParityErrorKind::File`] when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, ParityError> {
        /// The fields that every version has.
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
                "{} reports a comparison that could not be made",
                path.display()
            )));
        }
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Returns the existing groups from the rarest on, then overall. Rare classes come first, because an average
    /// hides them.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &Comparison)> {
        parts(&self.overall, &self.groups)
    }

    /// Returns one part by its name: `overall`, `many`, `medium` or `few`.
    pub fn part(&self, name: &str) -> Option<&Comparison> {
        self.parts()
            .find(|(part, _)| *part == name)
            .map(|(_, part)| part)
    }

    /// Returns the group of the class with index `class`; `None` for a class without images.
    pub fn group_of(&self, class: usize) -> Option<Group> {
        self.classes
            .iter()
            .find(|c| c.class == class)
            .map(|c| c.group)
    }
}
