//! The progress reports of a run, and the files that store them.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tailfold_data::Skipped;
use tailfold_spec::Manifest;
use tailfold_spec::artifact;

use crate::error::TrainError;
use crate::pretrained::Pretrained;

/// One row of `metrics.csv`. Accuracies are fractions of 1; they are absent without validation data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean total loss.
    pub loss: f64,
    /// Mean of the classifier's loss.
    pub classifier_loss: f64,
    /// Mean of the contrastive loss, before its weight.
    pub contrastive_loss: f64,
    /// Accuracy on the augmented training views, without offsets.
    pub train_top1: f64,
    /// Accuracy on the validation data with the offsets that an export would fold now.
    pub val_top1: Option<f64>,
    /// Mean accuracy of the many-shot classes.
    pub val_many: Option<f64>,
    /// Mean accuracy of the medium-shot classes.
    pub val_medium: Option<f64>,
    /// Mean accuracy of the few-shot classes.
    pub val_few: Option<f64>,
    /// Largest absolute offset, in logits.
    pub largest_offset: f64,
    /// Chi-square marginal error of the last solution; absent before the first.
    pub offsets_chi_square: Option<f64>,
    /// Largest relative cell error of the last solution.
    pub offsets_relative_error: Option<f64>,
    /// Reason why the solver stopped at the last solution.
    pub offsets_stop: Option<String>,
    /// Number of solutions in this epoch.
    pub offsets_updates: Option<usize>,
    /// Total number of solver steps in this epoch's solutions.
    pub offsets_iterations: Option<usize>,
    /// Training images per second, without counting views and without the validation time.
    pub images_per_second: f64,
    /// Images per second that the thread that makes batches could deliver.
    pub loader_images_per_second: f64,
    /// Share of the steps' time spent waiting for batches.
    pub loader_wait: f64,
}

/// The report of one step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step in the epoch, from 1.
    pub step: usize,
    /// Total loss.
    pub loss: f64,
    /// Training images per second in this epoch so far, without counting views.
    pub images_per_second: f64,
    /// Seconds to the end of the run, at the mean pace since this process began.
    pub seconds_left: f64,
}

/// Receives a run's progress, and can stop the run.
pub trait Observer: Sync {
    /// Called from time to time while images are decoded, with the number of decoded images and of all images.
    fn decoded(&self, _ready: usize, _images: usize) {}
    /// Called once for each set of images with skipped images, after the set is decoded.
    fn skipped(&mut self, _skipped: &[Skipped]) {}
    /// Called when the initial weights are pretrained.
    fn pretrained(&mut self, _loaded: &Pretrained) {}
    /// Called once, before the first step; `steps_done` is not 0 when an earlier run is resumed.
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, _steps_done: usize) {}
    /// Called after each step.
    fn step(&mut self, _report: &StepReport) {}
    /// Called after each epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
    /// Called after each step and each epoch: `true` saves the state and stops the run.
    fn wants_stop(&mut self) -> bool {
        false
    }
}

/// Returns the report with the best validation accuracy, and the first of them if there is a tie.
pub(crate) fn best_epoch(reports: &[EpochReport]) -> Option<&EpochReport> {
    let mut best: Option<(&EpochReport, f64)> = None;
    for report in reports {
        if let Some(top1) = report.val_top1
            && best.is_none_or(|(_, so_far)| top1 > so_far)
        {
            best = Some((report, top1));
        }
    }
    best.map(|(report, _)| report)
}

/// Writes `metrics.csv`, one row per epoch.
pub(crate) fn write_metrics(out: &Path, reports: &[EpochReport]) -> Result<(), TrainError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for report in reports {
        writer.serialize(report)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(artifact::write(&out.join("metrics.csv"), &bytes)?)
}
