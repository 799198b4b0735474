//! The result of a chain: schema `tailfold.parity-chain/1`.

use std::error::Error;

use serde::Serialize;

use super::bisect::Finding;
use super::{Stage, Step};
use crate::{ParityError, ParityErrorKind, Policy, Unchecked, Verdict};

/// The result of a chain.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Always [`Outcome::SCHEMA`].
    pub schema: &'static str,
    /// The worst verdict of all steps.
    pub verdict: Verdict,
    /// The first step with the worst verdict; absent if all steps pass.
    pub first_break: Option<Break>,
    /// The data spec.
    pub data: String,
    /// Number of images.
    pub images: usize,
    /// Largest accepted logit difference of float against float, as a share of the largest logit.
    pub float_tolerance: f64,
    /// Policy for FP16 and INT8.
    pub policy: Policy,
    /// Model files of the chain.
    pub models: Vec<ModelFile>,
    /// All steps, in their order.
    pub steps: Vec<Step>,
    /// Steps that were skipped because their back end is missing.
    pub not_at_hand: Vec<Absent>,
    /// The search for the layer that makes decisions flip; absent without a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bisect: Option<Finding>,
}

/// Inputs of a chain, for its report.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The data spec.
    pub data: String,
    /// Number of images.
    pub images: usize,
    /// Largest accepted logit difference of float against float, as a share of the largest logit.
    pub float_tolerance: f64,
    /// Policy for FP16 and INT8.
    pub policy: Policy,
    /// Model files of the chain.
    pub models: Vec<ModelFile>,
    /// Steps that were skipped because their back end is missing.
    pub not_at_hand: Vec<Absent>,
}

/// A model file of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFile {
    /// Form of the model.
    pub stage: Stage,
    /// The file, as given.
    pub file: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// A step that cannot run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// Form of the model.
    pub stage: Stage,
    /// Name of the back end.
    pub backend: String,
    /// The missing library, device or feature.
    pub why: String,
}

/// The first step that breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Break {
    /// Number of the step.
    pub step: usize,
    /// Stage and back end, such as `INT8 on ort`.
    pub what: String,
    /// The reason for the verdict, in a sentence.
    pub why: String,
}

impl Outcome {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.parity-chain/1";

    /// Returns the result of `steps`; `checked` holds their inputs.
    ///
    /// # Errors
    /// [`ParityErrorKind::Empty`] without a step.
    pub fn of(steps: Vec<Step>, checked: Checked) -> Result<Self, ParityError> {
        let worst = steps.iter().map(|step| step.verdict).max();
        let verdict = worst.ok_or_else(|| ParityErrorKind::Empty.error("the chain has no step"))?;
        Ok(Self {
            schema: Self::SCHEMA,
            verdict,
            first_break: first_break(&steps, verdict),
            data: checked.data,
            images: checked.images,
            float_tolerance: checked.float_tolerance,
            policy: checked.policy,
            models: checked.models,
            steps,
            not_at_hand: checked.not_at_hand,
            bisect: None,
        })
    }

    /// Returns the report of a chain that could not be checked, as an object of the same schema.
    pub fn unchecked(error: &dyn Error) -> Unchecked {
        Unchecked {
            schema: Self::SCHEMA,
            ..Unchecked::because(error)
        }
    }

    /// Returns the result as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("these have only fields that JSON can hold")
    }
}

/// The first step with the verdict `worst`; `None` if all steps pass.
fn first_break(steps: &[Step], worst: Verdict) -> Option<Break> {
    let step = steps.iter().find(|step| step.verdict == worst)?;
    (worst != Verdict::Pass).then(|| Break {
        step: step.step,
        what: step.what(),
        why: step.why.clone(),
    })
}
