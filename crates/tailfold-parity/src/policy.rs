//! `parity.toml`: what a candidate has to hold, as numbers.

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

/// What a candidate has to hold. Every field has a default, so an empty file is the default policy.
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
    /// Name of the model that this is the policy of; any without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Error level of each one-sided bound, at least 0.001; 0.05 gives 95 % bounds.
    pub level: f64,
    /// Loss of overall accuracy that is accepted, in percentage points.
    pub overall_margin_pp: f64,
    /// Loss of a group's accuracy that is accepted, in percentage points.
    pub group_margin_pp: GroupMargins,
    /// Share of the reference's accuracy that the candidate keeps, overall and in each group, as a point estimate.
    /// 0.99 is the rule of MLPerf Inference's closed division.
    pub min_retained: f64,
    /// Share of images on which the candidate may have a tie at the top. Float logits practically never tie;
    /// quantized ones do, and then the order of the classes decides.
    pub max_tie_rate: f64,
    /// Smallest share of images on which both give the same class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_agreement: Option<f64>,
    /// Number of images that must have been compared, so that a half-empty folder cannot pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_images: Option<usize>,
    /// The same for single groups.
    #[serde(skip_serializing_if = "GroupImages::is_empty")]
    pub expected_group_images: GroupImages,
    /// Share of the images that may have the pixels of another one: repeated images make counts look surer than they are.
    pub max_duplicates: f64,
    /// Share of the images that may be training images too, where those are given to be compared with.
    pub max_training_overlap: f64,
    /// Largest difference of any logit; for float against float.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_abs_logit_diff: Option<f64>,
    /// What a run may lose against an accepted one (`--baseline`).
    #[serde(skip_serializing_if = "Regression::is_default")]
    pub baseline: Regression,
    /// Which classes are many, medium and few.
    #[serde(skip_serializing_if = "Grouping::is_default")]
    pub groups: Grouping,
    /// Back ends, by name, that have tolerances of their own.
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
            // Published sets have some: CIFAR-100's 10,000 test images have 2.
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
        // No exact p-value is smaller than what the interval of the rate leaves out, so nothing could pass below it.
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

    /// Refuses a model that this is not the policy of.
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
