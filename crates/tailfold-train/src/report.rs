//! What a run tells while it goes on, and the files that keep it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tailfold_data::Skipped;
use tailfold_spec::Manifest;
use tailfold_spec::artifact::{self, at};

use crate::error::TrainError;
use crate::evaluate::Validation;
use crate::pretrained::Pretrained;

/// File name of the last validation's classes in a run folder.
pub(crate) const RECALL: &str = "recall.csv";

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
    /// Why the solver stopped at the last solution.
    pub offsets_stop: Option<String>,
    /// Solutions of this epoch.
    pub offsets_updates: Option<usize>,
    /// Steps of the solver in all of this epoch's solutions together.
    pub offsets_iterations: Option<usize>,
    /// Training images a second, views not counted, validation aside.
    pub images_per_second: f64,
    /// Images a second that the thread that makes batches could deliver.
    pub loader_images_per_second: f64,
    /// Share of the steps' time that was spent waiting for batches.
    pub loader_wait: f64,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// From 1.
    pub epoch: usize,
    /// In the epoch, from 1.
    pub step: usize,
    /// Total loss.
    pub loss: f64,
    /// Training images a second in this epoch so far, views not counted.
    pub images_per_second: f64,
    /// To the end of the run, at the mean pace since this process began.
    pub seconds_left: f64,
}

/// Hears of a run's progress, and can end it.
pub trait Observer: Sync {
    /// Called from time to time while images are decoded: how many of how many are ready.
    fn decoded(&self, _ready: usize, _images: usize) {}
    /// Called once for each set of images that some were left out of, after its images are decoded.
    fn skipped(&mut self, _skipped: &[Skipped]) {}
    /// Called when the weights do not start from chance.
    fn pretrained(&mut self, _loaded: &Pretrained) {}
    /// Called once, before the first step; `steps_done` is not 0 when an earlier run is resumed.
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, _steps_done: usize) {}
    /// Called after each step.
    fn step(&mut self, _report: &StepReport) {}
    /// Called after each epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
    /// Asked after each step and each epoch: `true` saves the state and ends the run there.
    fn wants_stop(&mut self) -> bool {
        false
    }
}

/// The report with the best validation accuracy, the first of equals.
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

/// One row of `recall.csv`: a class on the validation data after the last epoch.
#[derive(Debug, Serialize)]
struct RecallRow<'a> {
    /// Label.
    class: usize,
    name: &'a str,
    /// Training images.
    train_count: u64,
    /// Validation images.
    images: u64,
    /// Share of right answers; empty without images.
    recall: Option<f64>,
    /// What was added to the class's score, in logits: what would be folded.
    offset: f32,
}

/// Writes `recall.csv`, a row a class; without a `validation` there is none, and one of an earlier run goes.
pub(crate) fn write_recall(
    out: &Path,
    manifest: &Manifest,
    validation: Option<&Validation>,
) -> Result<(), TrainError> {
    let path = out.join(RECALL);
    let Some(validation) = validation else {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(at("remove", &path)(error).into())
            }
            _ => Ok(()),
        };
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (class, name) in manifest.classes.iter().enumerate() {
        writer.serialize(RecallRow {
            class,
            name,
            train_count: manifest.train_counts[class],
            images: validation.images[class],
            recall: validation.recall[class],
            offset: validation.offsets[class],
        })?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(artifact::write(&path, &bytes)?)
}
