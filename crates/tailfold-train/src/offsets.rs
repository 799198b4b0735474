//! The offsets during training: the source measure, the solver's calls and the current offsets `h`.

mod place;
mod queue;
mod source;
mod tensors;

use burn::prelude::*;
use tailfold_sdot::{Options, Solution, solve_on};
use tailfold_spec::{Apply, OffsetsRecord};

use crate::casts::{to_f32, to_host};
use crate::config::OffsetConfig;
use crate::error::TrainError;
use crate::head::Affine;
use place::Place;
pub(crate) use queue::FeatureQueue;
use source::{Points, Source};
use tensors::TensorSample;

/// The solver's effort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Number of solutions.
    pub(crate) updates: usize,
    /// Total number of solver steps in these solutions.
    pub(crate) iterations: usize,
}

/// The offsets of a run in progress.
pub(crate) struct OffsetState {
    config: OffsetConfig,
    pub(crate) target: Vec<f64>,
    effort: Effort,
    place: Place,
    pub(crate) source: Source,
    /// Current offsets, `[classes]`, zero mean.
    pub(crate) h: Vec<f64>,
    /// Record of the last solution; `None` before the first.
    pub(crate) last: Option<OffsetsRecord>,
}

impl OffsetState {
    /// Creates zero offsets for the masses `target` `[classes]`, for a run on `device`.
    pub(crate) fn new(
        config: OffsetConfig,
        target: Vec<f64>,
        seed: u64,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            h: vec![0.0; target.len()],
            place: Place::new(config.solver, target.len(), device)?,
            source: Source::new(&config, seed, device),
            target,
            config,
            effort: Effort::default(),
            last: None,
        })
    }

    /// Returns the solver's effort since the last call.
    pub(crate) fn take_effort(&mut self) -> Effort {
        std::mem::take(&mut self.effort)
    }

    /// Returns the shift that the loss adds to the scores, `[classes]`.
    pub(crate) fn shift(&self) -> Vec<f32> {
        let sign = match self.config.apply {
            Apply::Add => 1.0,
            Apply::Subtract => -1.0,
        };
        self.h.iter().map(|&h| to_f32(sign * h)).collect()
    }

    /// Returns whether the source measure consists of training features, which [`OffsetState::push`] collects.
    pub(crate) fn wants_features(&self) -> bool {
        self.source.wants_features()
    }

    /// Stores a step's features, `[n, dim]`, without autodiff, if the source measure needs them.
    pub(crate) fn push(&mut self, features: Tensor<2>, labels: &[i32]) {
        if self.wants_features() {
            let labels = labels.iter().map(|&y| usize::try_from(y).unwrap_or(0));
            self.source.queue.push(features, labels.collect());
        }
    }

    /// Returns whether the offsets are solved before `step` (from 0) of `epoch` (from 0).
    pub(crate) fn is_due(&self, epoch: usize, step_in_epoch: usize) -> bool {
        epoch >= self.config.warmup_epochs && step_in_epoch.is_multiple_of(self.config.update_every)
    }

    /// Solves for the current head and updates the offsets.
    ///
    /// While the queue does not contain every class, the problem has no solution, and the offsets do not change.
    ///
    /// `head` is without autodiff; `radius` is the radius of the sphere: the length of the features as the head
    /// receives them.
    pub(crate) fn update(&mut self, head: &Affine, radius: f32) -> Result<(), TrainError> {
        let mut options = Options::default();
        options.masses = self.config.masses();
        options.warm_start = Some(self.h.clone());
        let [classes, dim] = head.weight.dims();
        let Some(Points { values, weights }) = self.source.points(dim, radius, classes)? else {
            return Ok(());
        };
        let (weights, target) = (weights.as_deref(), &self.target);
        let solution = match self.place {
            Place::Host => {
                let points = to_host(values)?;
                head.to_host()?.solve(&points, weights, target, &options)?
            }
            Place::Device => {
                let mut sample = TensorSample::new(values, weights, head);
                solve_on(&mut sample, target, &options)?
            }
        };
        self.effort.updates += 1;
        self.effort.iterations += solution.iterations;
        let keep = self.config.momentum;
        for (h, new) in self.h.iter_mut().zip(&solution.offsets) {
            *h = keep * *h + (1.0 - keep) * new;
        }
        let mut record = self.describe(Some(&solution));
        if keep > 0.0 {
            record.stop += " (blended by momentum)";
        }
        self.last = Some(record);
        Ok(())
    }

    /// Returns the offsets for the run folder, as the loss added them.
    pub(crate) fn record(&self) -> OffsetsRecord {
        self.last.clone().unwrap_or_else(|| self.describe(None))
    }

    fn describe(&self, solution: Option<&Solution>) -> OffsetsRecord {
        let mut source = self.config.source.as_str().to_owned();
        if self.config.temperature > 0.0 {
            source += &format!(", softmax at temperature {}", self.config.temperature);
        }
        if self.place == Place::Device {
            source += ", solved on the training device";
        }
        record(&self.shift(), "training", &source, &self.target, solution)
    }
}

/// Creates the `offsets.json` record of a solution.
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

#[cfg(test)]
mod tests;
