//! `parity.toml`: the requirements on a candidate, as numbers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tailfold_spec::artifact;

use crate::exact::LEFT_OUT;
use crate::{ComparedModel, ParityError, ParityErrorKind, Regression};

mod backend;
mod by_group;
mod range;
mod suggest;

pub use backend::BackendPolicy;
pub use by_group::{GroupImages, GroupMargins, GroupRule, Grouping};

/// The requirements on a candidate. Every field has a default, so an empty file is the default policy.
///
/// ```
/// use tailfold_parity::Policy;
///
/// let mut policy = Policy::default();
/// policy.overall_margin_pp = 1.0;
/// policy.expected_images = Some(10_000);
/// policy.validate()?;
/// # Ok::<(), tailfold_parity::ParityError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Name of the model that the policy is for; absent for any model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Error level of each one-sided bound, at least 0.001; 0.05 gives 95 % bounds.
    pub level: f64,
    /// Accepted loss of overall accuracy, in percentage points.
    pub overall_margin_pp: f64,
    /// Accepted loss of a group's accuracy, in percentage points.
    pub group_margin_pp: GroupMargins,
    /// Smallest share of the reference's accuracy that the candidate must retain, overall and in each group, as a
    /// point estimate. 0.99 is the rule of MLPerf Inference's closed division.
    pub min_retained: f64,
    /// Largest share of images on which the candidate may have a tie at the top. Float logits practically never tie;
    /// quantized logits do, and then the order of the classes decides.
    pub max_tie_rate: f64,
    /// Smallest top-1 agreement: share of images for which both models give the same class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_agreement: Option<f64>,
    /// Required number of images, so that a half-empty folder cannot pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_images: Option<usize>,
    /// Required numbers of images of single groups.
    #[serde(skip_serializing_if = "GroupImages::is_empty")]
    pub expected_group_images: GroupImages,
    /// Largest share of images that may have the same pixels as another image. Repeated images make counts look more
    /// certain than they are.
    pub max_duplicates: f64,
    /// Largest share of images that may also be training images, if training images are given for comparison.
    pub max_training_overlap: f64,
    /// Largest accepted difference of any logit, for float against float.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_abs_logit_diff: Option<f64>,
    /// Accepted losses of a run against an accepted run.
    #[serde(skip_serializing_if = "Regression::is_default")]
    pub baseline: Regression,
    /// How classes are assigned to the groups many, medium and few.
    #[serde(skip_serializing_if = "Grouping::is_default")]
    pub groups: Grouping,
    /// Back ends with their own tolerances, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub backends: BTreeMap<String, BackendPolicy>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            model: None,
            level: 0.05,
            overall_margin_pp: 0.5,
            group_margin_pp: GroupMargins::default(),
            min_retained: 0.99,
            max_tie_rate: 0.001,
            // Published data sets contain some duplicates: CIFAR-100's 10,000 test images have 2.
            max_duplicates: 0.005,
            max_training_overlap: 0.0,
            min_agreement: None,
            expected_images: None,
            expected_group_images: GroupImages::default(),
            max_abs_logit_diff: None,
            baseline: Regression::default(),
            groups: Grouping::default(),
            backends: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// [`ParityError`] naming the file and the field.
    pub fn read(path: &Path) -> Result<Self, ParityError> {
        let text = artifact::read_to_string(path)?;
        let policy: Self = toml::from_str(&text).map_err(|source| {
            ParityErrorKind::Policy
                .error(format!("{} is not a parity policy", path.display()))
                .caused_by(source)
        })?;
        policy
            .validate()
            .map_err(|cause| ParityError::of(ParityErrorKind::Policy, cause).at(path.display()))?;
        Ok(policy)
    }

    /// Checks every field.
    ///
    /// A margin of zero is refused: no number of images could show that two equal models lose nothing.
    ///
    /// # Errors
    /// [`ParityErrorKind::Policy`] naming the field.
    pub fn validate(&self) -> Result<(), ParityError> {
        let level = self.level;
        // No exact p-value is below `LEFT_OUT`, so nothing could pass at a smaller level.
        let ok = (10.0 * LEFT_OUT..0.5).contains(&level);
        range::check("level", level, ok, "at least 0.001 and less than 0.5")?;
        range::margin("overall_margin_pp", Some(self.overall_margin_pp))?;
        self.group_margin_pp.validate("group_margin_pp")?;
        range::share("min_retained", Some(self.min_retained))?;
        range::share("max_tie_rate", Some(self.max_tie_rate))?;
        range::share("max_duplicates", Some(self.max_duplicates))?;
        range::share("max_training_overlap", Some(self.max_training_overlap))?;
        range::share("min_agreement", self.min_agreement)?;
        if self.expected_images == Some(0) {
            return range::check("expected_images", 0.0, false, "at least 1");
        }
        self.expected_group_images.validate()?;
        range::distance("max_abs_logit_diff", self.max_abs_logit_diff)?;
        for (field, points) in [
            ("baseline.overall_pp", self.baseline.overall_pp),
            ("baseline.group_pp", self.baseline.group_pp),
            ("baseline.agreement_pp", self.baseline.agreement_pp),
        ] {
            range::distance(field, Some(points))?;
        }
        self.groups.validate()?;
        self.backends
            .iter()
            .try_for_each(|(name, backend)| backend.validate(name))
    }

    /// Checks that the policy is for `model`.
    ///
    /// # Errors
    /// [`ParityErrorKind::Expected`] with both names.
    pub fn fits(&self, model: &ComparedModel) -> Result<(), ParityError> {
        match &self.model {
            Some(expected) if *expected != model.name => {
                Err(ParityErrorKind::Expected.error(format!(
                    "the policy is for the model `{expected}`, but this is `{found}`",
                    found = model.name
                )))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
