//! The offsets while training: the source measure, the solver's calls and the current `h`.

use std::collections::VecDeque;

use tailfold_sdot::{AffineHead, Options, Solution, SolveError, balanced_weights, sphere_samples};
use tailfold_spec::{Apply, OffsetsRecord};

use crate::config::{OffsetConfig, SourceMeasure};

/// The offsets of a run in progress.
pub(crate) struct OffsetState {
    config: OffsetConfig,
    target: Vec<f64>,
    seed: u64,
    /// Current offsets, `[classes]`, zero mean.
    pub(crate) h: Vec<f64>,
    /// Recent training features and their classes, oldest first.
    pub(crate) queue: VecDeque<(usize, Vec<f32>)>,
    /// What the last solution left; `None` before the first.
    pub(crate) last: Option<OffsetsRecord>,
}

impl OffsetState {
    pub(crate) fn new(config: OffsetConfig, target: Vec<f64>, seed: u64) -> Self {
        Self {
            h: vec![0.0; target.len()],
            target,
            config,
            seed,
            queue: VecDeque::new(),
            last: None,
        }
    }

    /// What the loss adds to the scores, `[classes]`.
    pub(crate) fn shift(&self) -> Vec<f32> {
        let sign = match self.config.apply {
            Apply::Add => 1.0,
            Apply::Subtract => -1.0,
        };
        self.h.iter().map(|&h| to_f32(sign * h)).collect()
    }

    /// True when the source measure is made of training features: [`OffsetState::push`] wants them.
    pub(crate) fn wants_features(&self) -> bool {
        self.config.source != SourceMeasure::Sphere
    }

    /// Remembers a step's features, `[n, dim]`, when the source measure needs them.
    pub(crate) fn push(&mut self, features: &[f32], labels: &[i32], dim: usize) {
        if !self.wants_features() {
            return;
        }
        for (z, &label) in features.chunks_exact(dim).zip(labels) {
            if self.queue.len() == self.config.samples {
                self.queue.pop_front();
            }
            self.queue
                .push_back((usize::try_from(label).unwrap_or(0), z.to_vec()));
        }
    }

    /// True when `step` (from 0) of `epoch` (from 0) begins with fresh offsets.
    pub(crate) fn is_due(&self, epoch: usize, step_in_epoch: usize) -> bool {
        epoch >= self.config.warmup_epochs && step_in_epoch.is_multiple_of(self.config.update_every)
    }

    /// Solves for the current head and moves the offsets.
    ///
    /// With a queue that has not yet seen every class the problem has no solution, and the offsets stay.
    ///
    /// `radius` is the length of the features as the head sees them: the sphere's.
    pub(crate) fn update(&mut self, head: &AffineHead, radius: f32) -> Result<(), SolveError> {
        let options = Options {
            warm_start: Some(self.h.clone()),
            ..Options::default()
        };
        let solution = match self.config.source {
            SourceMeasure::Sphere => {
                let mut points = sphere_samples(self.config.samples, head.dim(), self.seed);
                points.iter_mut().for_each(|x| *x *= radius);
                head.solve(&points, None, &self.target, &options)?
            }
            source => {
                let labels: Vec<usize> = self.queue.iter().map(|(y, _)| *y).collect();
                let classes = self.target.len();
                if (0..classes).any(|class| !labels.contains(&class)) {
                    return Ok(());
                }
                let features: Vec<f32> = self
                    .queue
                    .iter()
                    .flat_map(|(_, z)| z.iter().copied())
                    .collect();
                let weights = match source {
                    SourceMeasure::BalancedFeatures => Some(balanced_weights(&labels, classes)?),
                    _ => None,
                };
                head.solve(&features, weights.as_deref(), &self.target, &options)?
            }
        };
        let keep = self.config.momentum;
        for (h, new) in self.h.iter_mut().zip(&solution.offsets) {
            *h = keep * *h + (1.0 - keep) * new;
        }
        let mut record = self.describe(Some(&solution));
        if keep > 0.0 {
            record.stop += ", blended by momentum";
        }
        self.last = Some(record);
        Ok(())
    }

    /// The offsets as they are kept at export: what the loss added.
    pub(crate) fn record(&self) -> OffsetsRecord {
        self.last.clone().unwrap_or_else(|| self.describe(None))
    }

    fn describe(&self, solution: Option<&Solution>) -> OffsetsRecord {
        record(
            &self.shift(),
            "training",
            self.config.source.as_str(),
            &self.target,
            solution,
        )
    }
}

/// `offsets.json` of a solution.
pub(crate) fn record(
    offsets: &[f32],
    origin: &str,
    source: &str,
    target: &[f64],
    solution: Option<&Solution>,
) -> OffsetsRecord {
    OffsetsRecord {
        schema: OffsetsRecord::SCHEMA.to_owned(),
        offsets: offsets.to_vec(),
        origin: origin.to_owned(),
        source: source.to_owned(),
        target: target.to_vec(),
        mass: solution.map_or_else(Vec::new, |s| s.mass.clone()),
        chi_square: solution.map_or(0.0, |s| s.chi_square),
        largest_relative_error: solution.map_or(0.0, |s| s.largest_relative_error),
        stop: solution.map_or_else(|| "not solved".to_owned(), |s| s.stop.to_string()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "offsets are a few logits; f32 is what a head adds"
)]
pub(crate) fn to_f32(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TargetMeasure;

    fn config(source: SourceMeasure, apply: Apply) -> OffsetConfig {
        OffsetConfig {
            source,
            target: TargetMeasure::Train,
            apply,
            at_export: tailfold_spec::AtExport::Keep,
            update_every: 5,
            warmup_epochs: 1,
            momentum: 0.0,
            samples: 4000,
        }
    }

    #[test]
    fn the_frequent_class_gets_the_larger_cell_and_the_sign_is_the_configured_one() {
        let head = AffineHead::new(&[8.0, 0.0, -8.0, 0.0], &[0.0, 0.0], 2).unwrap();
        for (apply, sign) in [(Apply::Add, 1.0), (Apply::Subtract, -1.0)] {
            let mut state =
                OffsetState::new(config(SourceMeasure::Sphere, apply), vec![0.9, 0.1], 3);
            state.update(&head, 1.0).unwrap();
            assert!(
                state.h[0] > 1.0 && (state.h[0] + state.h[1]).abs() < 1e-9,
                "{:?}",
                state.h
            );
            let shift = state.shift();
            assert!(
                (f64::from(shift[0]) - sign * state.h[0]).abs() < 1e-5,
                "{shift:?}"
            );
            assert_eq!(state.record().offsets, shift);
        }
    }

    #[test]
    fn offsets_wait_for_the_warm_up_and_for_every_class() {
        let mut state = OffsetState::new(
            config(SourceMeasure::Features, Apply::Add),
            vec![0.5, 0.5],
            3,
        );
        assert!(
            !state.is_due(0, 0) && state.is_due(1, 0) && !state.is_due(1, 3) && state.is_due(1, 5)
        );
        let head = AffineHead::new(&[1.0, 0.0, 0.0, 1.0], &[0.0, 0.0], 2).unwrap();
        state.push(&[1.0, 0.0, 1.0, 0.1], &[0, 0], 2);
        state.update(&head, 1.0).unwrap();
        assert!(state.last.is_none() && state.h == [0.0, 0.0]);
        state.push(&[1.0, 0.5], &[1], 2);
        state.update(&head, 1.0).unwrap();
        assert!(state.last.is_some());
    }

    #[test]
    fn momentum_keeps_its_share_of_the_old_offsets() {
        let head = AffineHead::new(&[8.0, 0.0, -8.0, 0.0], &[0.0, 0.0], 2).unwrap();
        let solved = |momentum| {
            let config = OffsetConfig {
                momentum,
                ..config(SourceMeasure::Sphere, Apply::Add)
            };
            let mut state = OffsetState::new(config, vec![0.8, 0.2], 3);
            state.update(&head, 1.0).unwrap();
            state.h[0]
        };
        assert!((solved(0.75) - 0.25 * solved(0.0)).abs() < 1e-9);
    }
}
