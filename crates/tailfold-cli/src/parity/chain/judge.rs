//! The verdict on each step, from the logits of all.

use anyhow::Context as _;
use tailfold::Golden;
use tailfold_parity::{ComparedModel, Policy, Verdict, compare};
use tailfold_spec::{Group, Logits};

use super::closeness::Closeness;
use super::load::Ready;
use super::outcome::{Against, Step};
use super::stage::Stage;

/// Logits of every step on the same images, and by what they are judged.
pub(super) struct Evidence<'a> {
    pub(super) ready: &'a [Ready],
    /// `[images, classes]` of each of `ready`.
    pub(super) scores: &'a [Logits],
    /// `[images]`.
    pub(super) labels: &'a [usize],
    pub(super) policy: &'a Policy,
    /// As a share of the largest logit.
    pub(super) float_tolerance: f64,
}

/// The float model `first` against what the training framework answered, on the goldens' own inputs.
pub(super) fn against_golden(
    golden: &Golden,
    first: &Ready,
    tolerance: f64,
) -> anyhow::Result<Against> {
    golden.check_checkpoint(&first.model.card)?;
    let expected = golden.expected(&first.model.card)?;
    let mut classifier = first.model.classifier.fork();
    let found = classifier.logits(&golden.inputs)?;
    let found = Closeness::of(&expected, &found, tolerance)?;
    Ok(Against {
        step: 1,
        verdict: found.verdict(),
        why: format!("{}: {}", golden.path().display(), found.sentence()),
        images: found.images,
        agreement: found.agreement(),
        flips: found.flips,
        max_abs_logit_diff: found.max_abs_logit_diff,
        few_delta_pp: None,
    })
}

impl Evidence<'_> {
    /// All steps, goldens first where they are given.
    pub(super) fn steps(&self, golden: Option<Against>) -> anyhow::Result<Vec<Step>> {
        let mut steps: Vec<Step> = golden.iter().map(golden_step).collect();
        let first = steps.len();
        for index in 0..self.ready.len() {
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
        // Of a step that is broken nothing follows for the next one.
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
        let rows = self.scores[index].rows();
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
            stage: self.ready[index].stage,
            backend: Some(self.ready[index].backend.name()),
            verdict,
            why: why.unwrap_or_else(|| "what the others are compared with".to_owned()),
            against_previous,
            against_first,
        }
    }

    /// Step `index` against the earlier one `before`, whose number is `number`.
    fn against(&self, index: usize, before: usize, number: usize) -> anyhow::Result<Against> {
        let (this, earlier) = (&self.ready[index], &self.ready[before]);
        let (a, b) = (&self.scores[before], &self.scores[index]);
        let card = ComparedModel::from(&earlier.model.card);
        let policy = self.policy.on_backend(this.backend.name());
        let report = compare(a, b, self.labels, &card, &policy)?;
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
            let near = Closeness::of(a, b, self.float_tolerance)
                .with_context(|| format!("{} on {}", this.stage, this.backend))?;
            against.verdict = near.verdict();
            against.why = near.sentence();
        }
        Ok(against)
    }
}

fn golden_step(against: &Against) -> Step {
    Step {
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
