//! The steps of a chain, in the form of reports.

use std::fmt;

use serde::Serialize;

use super::Closeness;
use crate::Verdict;

/// The form of the model at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Outputs of the training framework.
    Golden,
    /// The float model.
    Float,
    /// The model in half precision.
    Fp16,
    /// The quantized model.
    Int8,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Golden => "goldens",
            Self::Float => "float",
            Self::Fp16 => "FP16",
            Self::Int8 => "INT8",
        })
    }
}

/// One step and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Number of the step, from 1.
    pub step: usize,
    /// Form of the model.
    pub stage: Stage,
    /// Name of the back end; absent for goldens.
    pub backend: Option<String>,
    /// The worse verdict of the two comparisons; a comparison with a broken step does not count.
    pub verdict: Verdict,
    /// The reason for the verdict, in a sentence.
    pub why: String,
    /// Comparison with the step before.
    pub against_previous: Option<Against>,
    /// Comparison with the first step; absent for the first model, which is the reference.
    pub against_first: Option<Against>,
}

impl Step {
    /// Returns the step of the goldens, which is step 1.
    pub(super) fn of_golden(against: &Against) -> Self {
        Self {
            step: 1,
            stage: Stage::Golden,
            backend: None,
            verdict: Verdict::Pass,
            why: format!("{} images, the reference of the next step", against.images),
            against_previous: None,
            against_first: None,
        }
    }

    /// Returns stage and back end, such as `INT8 on ort`.
    pub fn what(&self) -> String {
        match &self.backend {
            Some(backend) => format!("{} on {backend}", self.stage),
            None => "goldens of the training framework".to_owned(),
        }
    }
}

/// The comparison of a step with an earlier step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Against {
    /// Number of the earlier step.
    pub step: usize,
    /// Verdict of this comparison.
    pub verdict: Verdict,
    /// The reason for the verdict, in a sentence.
    pub why: String,
    /// Number of images.
    pub images: usize,
    /// Share of images for which both steps give the same class.
    pub agreement: f64,
    /// Number of images for which the two steps give different classes.
    pub flips: usize,
    /// Largest difference of a logit; absent when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// Accuracy change over the few-shot classes, this step minus the earlier step, in percentage points; absent
    /// without such classes, and against goldens, which have no labels.
    pub few_delta_pp: Option<f64>,
}

impl Against {
    /// Returns the comparison of the first model with the goldens of the training framework (step 1); `source` names
    /// the goldens.
    pub fn golden(source: &str, found: &Closeness) -> Self {
        Self {
            step: 1,
            verdict: found.verdict(),
            why: format!("{source}: {}", found.sentence()),
            images: found.images,
            agreement: found.agreement(),
            flips: found.flips,
            max_abs_logit_diff: found.max_abs_logit_diff,
            few_delta_pp: None,
        }
    }
}
