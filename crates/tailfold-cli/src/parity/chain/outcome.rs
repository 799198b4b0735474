//! What the chain found: the object behind `parity chain --json`, schema `tailfold.parity-chain/1`.

use std::error::Error;

use serde::Serialize;
use tailfold_parity::{Policy, Verdict};

use super::bisect::Finding;
use super::load::Absent;
use super::stage::Stage;

/// What the chain found.
#[derive(Serialize)]
pub(super) struct Outcome {
    /// Always [`Outcome::SCHEMA`].
    pub(super) schema: &'static str,
    /// The worst of all steps.
    pub(super) verdict: Verdict,
    /// The first step that does not hold; of a failing chain the first that fails.
    pub(super) first_break: Option<Break>,
    /// The data spec.
    pub(super) data: String,
    pub(super) images: usize,
    /// Of float against float, as a share of the largest logit.
    pub(super) float_tolerance: f64,
    /// Of FP16 and INT8.
    pub(super) policy: Policy,
    pub(super) models: Vec<ModelFile>,
    pub(super) steps: Vec<Step>,
    /// Steps that could not be made for want of their back end.
    pub(super) not_at_hand: Vec<Absent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bisect: Option<Finding>,
}

/// A file of the chain.
#[derive(Serialize)]
pub(super) struct ModelFile {
    pub(super) stage: Stage,
    /// As given.
    pub(super) file: String,
    pub(super) sha256: String,
}

/// One step.
#[derive(Serialize)]
pub(super) struct Step {
    /// From 1.
    pub(super) step: usize,
    pub(super) stage: Stage,
    /// Name of the back end; absent for goldens.
    pub(super) backend: Option<&'static str>,
    pub(super) verdict: Verdict,
    /// What decided, in a sentence.
    pub(super) why: String,
    pub(super) against_previous: Option<Against>,
    /// Absent for the float model on the first back end, which is the first.
    pub(super) against_first: Option<Against>,
}

/// A step compared with an earlier one.
#[derive(Clone, Serialize)]
pub(super) struct Against {
    /// The earlier one.
    pub(super) step: usize,
    pub(super) verdict: Verdict,
    /// What decided, in a sentence.
    pub(super) why: String,
    pub(super) images: usize,
    /// Share of images to which both give the same class.
    pub(super) agreement: f64,
    /// Images to which they do not.
    pub(super) flips: usize,
    /// Absent when a logit is NaN or infinite.
    pub(super) max_abs_logit_diff: Option<f64>,
    /// Accuracy over the few-shot classes, this step minus the earlier one, in percentage points; absent without such classes
    /// and against goldens, which have no labels.
    pub(super) few_delta_pp: Option<f64>,
}

/// The step that is to be looked at.
#[derive(Serialize)]
pub(super) struct Break {
    pub(super) step: usize,
    /// `INT8 on ort`.
    pub(super) what: String,
    pub(super) why: String,
}

impl Step {
    /// `INT8 on ort`.
    pub(super) fn what(&self) -> String {
        match self.backend {
            Some(backend) => format!("{} on {backend}", self.stage),
            None => "goldens of the training framework".to_owned(),
        }
    }
}

/// The worst verdict of all.
pub(super) fn worst(steps: &[Step]) -> Verdict {
    steps
        .iter()
        .map(|step| step.verdict)
        .fold(Verdict::Pass, Verdict::max)
}

/// The first step of the worst verdict, unless all hold.
pub(super) fn first_break(steps: &[Step]) -> Option<Break> {
    let worst = worst(steps);
    let step = steps.iter().find(|step| step.verdict == worst)?;
    (worst != Verdict::Pass).then(|| Break {
        step: step.step,
        what: step.what(),
        why: step.why.clone(),
    })
}

impl Outcome {
    /// Name and version of the format.
    pub(super) const SCHEMA: &'static str = "tailfold.parity-chain/1";

    /// As one JSON object.
    pub(super) fn to_json(&self) -> String {
        json(self)
    }
}

/// A chain that could not be checked, in the form of an [`Outcome`] with nothing in it but the reason.
#[derive(Serialize)]
pub(super) struct Unchecked {
    schema: &'static str,
    verdict: Verdict,
    /// The error and its causes, in one sentence.
    reasons: Vec<String>,
}

impl Unchecked {
    pub(super) fn because(error: &dyn Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason += &format!(": {error}");
            cause = error.source();
        }
        Self {
            schema: Outcome::SCHEMA,
            verdict: Verdict::Error,
            reasons: vec![reason],
        }
    }

    pub(super) fn to_json(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("these have only fields that JSON can hold")
}
