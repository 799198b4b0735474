//! What a run tells while it goes on, and the file that keeps it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tailfold_data::Skipped;
use tailfold_spec::{Manifest, artifact};

use crate::error::TrainError;

/// One row of `metrics.csv`. Accuracies are shares of 1; absent without validation data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EpochReport {
    /// From 1.
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
    /// Accuracy on the validation data with the offsets that would be folded now.
    pub val_top1: Option<f64>,
    /// Mean accuracy of the many-shot classes.
    pub val_many: Option<f64>,
    /// Mean accuracy of the medium-shot classes.
    pub val_medium: Option<f64>,
    /// Mean accuracy of the few-shot classes.
    pub val_few: Option<f64>,
    /// Largest absolute offset, logits.
    pub largest_offset: f64,
    /// Chi-square marginal error of the last solution; absent before the first.
    pub offsets_chi_square: Option<f64>,
    /// Largest relative cell error of the last solution.
    pub offsets_relative_error: Option<f64>,
    /// Training images a second, views not counted.
    pub images_per_second: f64,
}

/// Hears of a run's progress.
pub trait Observer: Sync {
    /// Called from time to time while images are decoded: how many of how many are ready.
    fn decoded(&self, _ready: usize, _images: usize) {}
    /// Called once for each set of images that some were left out of, after its images are decoded.
    fn skipped(&mut self, _skipped: &[Skipped]) {}
    /// Called once, before the first step.
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, _epochs_done: usize) {}
    /// Called after each step with the loss.
    fn step(&mut self, _epoch: usize, _step: usize, _loss: f64) {}
    /// Called after each epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// Writes `metrics.csv`, a row an epoch.
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
