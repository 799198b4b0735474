//! The verdict on each step, from the logits of all steps.

use tailfold_spec::{Group, Logits};

use super::{Against, Closeness, Stage, Step};
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy, Verdict, compare};

/// A model on a back end, and its logits.
#[derive(Clone, Copy, Debug)]
pub struct StepLogits<'a> {
    /// Form of the model.
    pub stage: Stage,
    /// Name of the back end.
    pub backend: &'a str,
    /// Name, classes and training counts of the model.
    pub model: &'a ComparedModel,
    /// Logits, `[images, classes]`.
    pub logits: &'a Logits,
}

impl StepLogits<'_> {
    fn what(&self) -> String {
        format!("{} on {}", self.stage, self.backend)
    }
}

/// Logits of all steps on the same images, and the criteria for them.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The steps in order; the first is the reference.
    pub steps: &'a [StepLogits<'a>],
    /// Labels, `[images]`.
    pub labels: &'a [usize],
    /// Policy that FP16 and INT8 must meet.
    pub policy: &'a Policy,
    /// Largest accepted logit difference of float against float, as a share of the largest logit.
    pub float_tolerance: f64,
}

impl Evidence<'_> {
    /// Judges all steps. `golden` is the comparison of the first model with the training framework; the goldens are
    /// then step 1.
    ///
    /// # Errors
    /// [`ParityError`] without a step, or when logits, labels or models cannot be compared.
    pub fn judge(&self, golden: Option<Against>) -> Result<Vec<Step>, ParityError> {
        if self.steps.is_empty() {
            return Err(ParityErrorKind::Empty.error("the chain has no step"));
        }
        let mut steps: Vec<Step> = golden.iter().map(Step::of_golden).collect();
        let first = steps.len();
        for index in 0..self.steps.len() {
            let previous = match index.checked_sub(1) {
                Some(before) => Some(self.against(index, before, first + before + 1)?),
                None => golden.clone(),
            };
            let against_first = match index {
                0 => None,
                _ => Some(self.against(index, 0, first + 1)?),
            };
            let holds_before = steps
                .last()
                .is_none_or(|step| step.verdict != Verdict::Fail);
            let step = self.step(first, index, holds_before, previous, against_first);
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(
        &self,
        first: usize,
        index: usize,
        holds_before: bool,
        against_previous: Option<Against>,
        against_first: Option<Against>,
    ) -> Step {
        // A comparison with a broken step does not count against this step.
        let counted = against_previous.as_ref().filter(|_| holds_before);
        let rules = [
            ("against the first", against_first.as_ref()),
            ("against the one before", counted),
        ];
        let mut verdict = Verdict::Pass;
        let mut why = None;
        for (name, against) in rules {
            let Some(against) = against else { continue };
            if why.is_none() || against.verdict > verdict {
                verdict = against.verdict;
                why = Some(format!("{name}: {}", against.why));
            }
        }
        let this = &self.steps[index];
        let rows = this.logits.rows();
        let bad = rows.filter(|row| Logits::top1(row).is_none()).count();
        if bad > 0 {
            let images = self.labels.len();
            verdict = Verdict::Fail;
            why = Some(format!(
                "{bad} of {images} images have a NaN or infinite logit"
            ));
        }
        Step {
            step: first + index + 1,
            stage: this.stage,
            backend: Some(this.backend.to_owned()),
            verdict,
            why: why.unwrap_or_else(|| "the reference of the other steps".to_owned()),
            against_previous,
            against_first,
        }
    }

    /// Compares step `index` with the earlier step `before`, whose number in the chain is `number`.
    fn against(&self, index: usize, before: usize, number: usize) -> Result<Against, ParityError> {
        let (this, earlier) = (&self.steps[index], &self.steps[before]);
        let policy = self.policy.on_backend(this.backend);
        let (a, b) = (earlier.logits, this.logits);
        let report = compare(a, b, self.labels, earlier.model, &policy)?;
        let few = report.groups.get(Group::Few);
        let mut against = Against {
            step: number,
            verdict: report.verdict,
            why: report.reasons.first().cloned().unwrap_or_default(),
            images: report.images,
            agreement: report.agreement,
            flips: report.flips,
            max_abs_logit_diff: report.max_abs_logit_diff,
            few_delta_pp: few.map(|few| few.delta_pp),
        };
        if this.stage == Stage::Float {
            let near = Closeness::of(a, b, self.float_tolerance);
            let near = near.map_err(|error| error.at(this.what()))?;
            against.verdict = near.verdict();
            against.why = near.sentence();
        }
        Ok(against)
    }
}
