//! An epoch, step by step, and what it comes to.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tailfold_data::DataError;
use tailfold_spec::{ClassGroups, Group};

use crate::batches::Batch;
use crate::error::TrainError;
use crate::report::EpochReport;
use crate::run::Run;
use crate::schedule::learning_rate;

/// Sums over the steps of an unfinished epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpochSums {
    /// Steps done.
    pub(crate) steps: usize,
    pub(crate) images: usize,
    total: f64,
    classifier: f64,
    contrastive: f64,
    top1: f64,
    /// Learning rate of the last step.
    rate: f64,
    /// Solutions of the offsets.
    updates: usize,
    /// Steps of the solver in all of them.
    iterations: usize,
    /// In steps, waiting for batches included.
    seconds: f64,
    /// Waiting for batches.
    waited: f64,
    /// Making batches, in the thread that does.
    loading: f64,
}

impl EpochSums {
    /// Images a second, waiting included.
    pub(crate) fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

impl Run<'_> {
    /// Takes the next batch of the epoch and makes a step on it; returns its loss.
    pub(crate) fn next_step(
        &mut self,
        batches: &Receiver<Result<Batch, DataError>>,
    ) -> Result<f64, TrainError> {
        let started = Instant::now();
        let (epoch, step) = (self.reports.len(), self.sums.steps);
        let steps = self.plan.steps();
        self.progress = epoch as f64 / self.config.epochs as f64;
        let batch = batches.recv().map_err(|_| TrainError::Loader {
            done: step,
            steps,
            epoch: epoch + 1,
        })??;
        let waited = started.elapsed().as_secs_f64();
        if self.offsets.as_ref().is_some_and(|o| o.is_due(epoch, step)) {
            let head = self.network.head.affine().without_autodiff();
            let radius = self.radius;
            if let Some(offsets) = &mut self.offsets {
                offsets.update(&head, radius)?;
                let effort = offsets.take_effort();
                self.sums.updates += effort.updates;
                self.sums.iterations += effort.iterations;
            }
        }
        let optimizer = &self.config.optimizer;
        let rate = learning_rate(
            &self.config.schedule,
            optimizer.learning_rate,
            epoch * steps + step,
            round_to_usize(optimizer.warmup_epochs * steps as f64),
            steps * self.config.epochs,
        );
        let losses = self.step(batch.values, &batch.labels, rate)?;
        if !losses.total.is_finite() {
            return Err(TrainError::Diverged {
                loss: losses.total,
                epoch: epoch + 1,
                step: step + 1,
                learning_rate: rate,
                indices: batch.indices,
            });
        }
        let sums = &mut self.sums;
        sums.steps += 1;
        sums.images += batch.labels.len();
        sums.total += f64::from(losses.total);
        sums.classifier += f64::from(losses.classifier);
        sums.contrastive += f64::from(losses.contrastive);
        sums.top1 += f64::from(losses.top1);
        sums.rate = rate;
        sums.waited += waited;
        sums.loading += batch.seconds;
        sums.seconds += started.elapsed().as_secs_f64();
        Ok(losses.total.into())
    }

    /// Measures the epoch whose steps are all done, adds its row to the reports and begins the next.
    pub(crate) fn close_epoch(&mut self) -> Result<EpochReport, TrainError> {
        self.validation_result = self.validate()?;
        let sums = std::mem::take(&mut self.sums);
        let validation = self.validation_result.as_ref();
        let group = |group| {
            let groups = ClassGroups::from_counts(&self.manifest.train_counts);
            validation.and_then(|v| groups.mean(group, &v.recall))
        };
        let last = self.offsets.as_ref().and_then(|o| o.last.as_ref());
        let mean = |sum: f64| sum / sums.steps.max(1) as f64;
        let report = EpochReport {
            epoch: self.reports.len() + 1,
            learning_rate: sums.rate,
            loss: mean(sums.total),
            classifier_loss: mean(sums.classifier),
            contrastive_loss: mean(sums.contrastive),
            train_top1: mean(sums.top1),
            val_top1: validation.map(|v| v.top1()),
            val_many: group(Group::Many),
            val_medium: group(Group::Medium),
            val_few: group(Group::Few),
            largest_offset: self
                .offsets
                .as_ref()
                .map_or(0.0, |o| o.h.iter().fold(0.0, |a: f64, h| a.max(h.abs()))),
            offsets_chi_square: last.map(|s| s.chi_square),
            offsets_relative_error: last.map(|s| s.largest_relative_error),
            offsets_stop: last.map(|s| s.stop.clone()),
            offsets_updates: self.offsets.as_ref().map(|_| sums.updates),
            offsets_iterations: self.offsets.as_ref().map(|_| sums.iterations),
            images_per_second: sums.images_per_second(),
            loader_images_per_second: sums.images as f64 / sums.loading.max(f64::MIN_POSITIVE),
            loader_wait: sums.waited / sums.seconds.max(f64::MIN_POSITIVE),
        };
        self.reports.push(report.clone());
        Ok(report)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of steps, checked to be non-negative; `as` saturates"
)]
fn round_to_usize(value: f64) -> usize {
    value.round() as usize
}
