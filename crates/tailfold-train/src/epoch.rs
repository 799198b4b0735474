//! The steps of an epoch and its report.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use tailfold_data::DataError;
use tailfold_spec::{ClassGroups, Group};

use crate::batches::Batch;
use crate::error::{TrainError, TrainErrorKind};
use crate::plan::RunPlan;
use crate::report::EpochReport;
use crate::schedule::learning_rate;
use crate::state::RunState;
use crate::step::step;
use crate::validation::{Validation, validate};

/// Makes a step on the next batch of the epoch; returns its loss.
pub(crate) fn next_step(
    plan: &RunPlan<'_>,
    state: &mut RunState,
    batches: &Receiver<Result<Batch, DataError>>,
) -> Result<f64, TrainError> {
    let started = Instant::now();
    let (epoch, done) = (state.reports.len(), state.sums.steps);
    let steps = plan.batches.steps();
    let batch = batches.recv().map_err(|_| {
        TrainErrorKind::Images.error(format!(
            "epoch {} ended after {done} of {steps} steps: the thread that makes batches stopped",
            epoch + 1
        ))
    })??;
    let waited = started.elapsed().as_secs_f64();
    if state
        .offsets
        .as_ref()
        .is_some_and(|o| o.is_due(epoch, done))
    {
        let head = state.network.head.affine().without_autodiff();
        let radius = state.radius;
        if let Some(offsets) = &mut state.offsets {
            offsets.update(&head, radius)?;
            let effort = offsets.take_effort();
            state.sums.updates += effort.updates;
            state.sums.iterations += effort.iterations;
        }
    }
    let optimizer = &plan.config.optimizer;
    let rate = learning_rate(
        &plan.config.schedule,
        optimizer.learning_rate,
        epoch * steps + done,
        round_to_usize(optimizer.warmup_epochs * steps as f64),
        steps * plan.config.epochs,
    );
    let losses = step(plan, state, batch.values, &batch.labels, rate)?;
    if !losses.total.is_finite() {
        return Err(TrainErrorKind::Diverged.error(format!(
            "the loss is {} at epoch {}, step {} (learning rate {rate}); the batch held images {:?}",
            losses.total,
            epoch + 1,
            done + 1,
            batch.indices
        )));
    }
    let sums = &mut state.sums;
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

/// Validates after the last step of an epoch, adds the epoch's row to the reports and begins the next epoch; returns
/// the row and the validation.
pub(crate) fn close_epoch(
    plan: &RunPlan<'_>,
    state: &mut RunState,
) -> Result<(EpochReport, Option<Validation>), TrainError> {
    let measured = validate(plan, state)?;
    let sums = std::mem::take(&mut state.sums);
    let validation = measured.as_ref();
    let group = |group| {
        let groups = ClassGroups::from_counts(&plan.manifest.train_counts);
        validation.and_then(|v| groups.mean(group, &v.recall))
    };
    let last = state.offsets.as_ref().and_then(|o| o.last.as_ref());
    let mean = |sum: f64| sum / sums.steps.max(1) as f64;
    let report = EpochReport {
        epoch: state.reports.len() + 1,
        learning_rate: sums.rate,
        loss: mean(sums.total),
        classifier_loss: mean(sums.classifier),
        contrastive_loss: mean(sums.contrastive),
        train_top1: mean(sums.top1),
        val_top1: validation.map(|v| v.top1()),
        val_many: group(Group::Many),
        val_medium: group(Group::Medium),
        val_few: group(Group::Few),
        largest_offset: state
            .offsets
            .as_ref()
            .map_or(0.0, |o| o.h.iter().fold(0.0, |a: f64, h| a.max(h.abs()))),
        offsets_chi_square: last.map(|s| s.chi_square),
        offsets_relative_error: last.map(|s| s.largest_relative_error),
        offsets_stop: last.map(|s| s.stop.clone()),
        offsets_updates: state.offsets.as_ref().map(|_| sums.updates),
        offsets_iterations: state.offsets.as_ref().map(|_| sums.iterations),
        images_per_second: sums.images_per_second(),
        loader_images_per_second: sums.images as f64 / sums.loading.max(f64::MIN_POSITIVE),
        loader_wait: sums.waited / sums.seconds.max(f64::MIN_POSITIVE),
    };
    state.reports.push(report.clone());
    Ok((report, measured))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of steps, checked to be non-negative; `as` saturates"
)]
fn round_to_usize(value: f64) -> usize {
    value.round() as usize
}
