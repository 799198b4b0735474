//! The steps of a chain, as reports have them.

use std::fmt;

use serde::Serialize;

use super::Closeness;
use crate::Verdict;

/// The form of the model at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Answers of the training framework.
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
    /// The worse of both comparisons; a comparison with a broken step does not count.
    pub verdict: Verdict,
    /// What decided, in a sentence.
    pub why: String,
    /// Comparison with the step before.
    pub against_previous: Option<Against>,
    /// Comparison with the first step; absent for the first model, which is what the others are compared with.
    pub against_first: Option<Against>,
}

impl Step {
    /// Returns the step of the goldens, which is the first.
    pub(super) fn of_golden(against: &Against) -> Self {
        Self {
            step: 1,
            stage: Stage::Golden,
            backend: None,
            verdict: Verdict::Pass,
            why: format!(
                "{} images, what the next step is compared with",
                against.images
            ),
            against_previous: None,
            against_first: None,
        }
    }

    /// Returns stage and back end: `INT8 on ort`.
    pub fn what(&self) -> String {
        match &self.backend {
            Some(backend) => format!("{} on {backend}", self.stage),
            None => "goldens of the training framework".to_owned(),
        }
    }
}

/// A step compared with an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Against {
    /// Number of the earlier step.
    pub step: usize,
    /// Verdict of this comparison.
    pub verdict: Verdict,
    /// What decided, in a sentence.
    pub why: String,
    /// Number of images.
    pub images: usize,
    /// Share of images to which both give the same class.
    pub agreement: f64,
    /// Number of images to which both give different classes.
    pub flips: usize,
    /// Largest difference of a logit; absent when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// Accuracy over the few-shot classes, this step minus the earlier one, in percentage points; absent without such classes
    /// and against goldens, which have no labels.
    pub few_delta_pp: Option<f64>,
}

impl Against {
    /// Returns the comparison of the first model with the goldens of the training framework, step 1; `source` names them.
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
