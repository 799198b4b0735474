//! One run, which is an arm with a seed: trained unless it is finished, then read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tailfold_console::{say, training};
use tailfold_spec::{Manifest, artifact};

/// A run to train and read.
pub(super) struct Job {
    pub(super) arm: String,
    pub(super) seed: u64,
    /// The configuration, with the device in a comment, because a run on another device is another measurement.
    pub(super) config: String,
    pub(super) folder: PathBuf,
}

/// Accuracies in percent; `None` for a group without classes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Accuracy {
    pub(super) overall: f64,
    pub(super) many: Option<f64>,
    pub(super) medium: Option<f64>,
    pub(super) few: Option<f64>,
}

/// A row of the run's `recall.csv`: one class after the last epoch.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Class {
    pub(super) train_count: u64,
    /// Recall between 0 and 1; `None` without test images.
    pub(super) recall: Option<f64>,
    /// Folded class offset, in logits.
    pub(super) offset: f64,
}

/// A finished run.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) arm: String,
    pub(super) seed: u64,
    /// Accuracies after the last epoch.
    pub(super) last: Accuracy,
    /// Overall accuracy of the best epoch, which is selected on the test data.
    pub(super) best_overall: f64,
    /// The best epoch, counted from 1.
    pub(super) best_epoch: usize,
    pub(super) manifest: Manifest,
    /// Classes in label order; empty when the run has no `recall.csv`.
    pub(super) classes: Vec<Class>,
}

#[derive(Deserialize)]
struct Epoch {
    epoch: usize,
    val_top1: Option<f64>,
    val_many: Option<f64>,
    val_medium: Option<f64>,
    val_few: Option<f64>,
}

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
const RECALL: &str = "recall.csv";

impl Job {
    /// Fails when the folder holds a run of another configuration, whose numbers would be reported for this arm.
    pub(super) fn check_folder(&self) -> anyhow::Result<()> {
        let path = self.folder.join(CONFIG);
        ensure!(
            path.exists() || !self.folder.join(Manifest::FILE).exists(),
            "{} holds a run that this command did not make: give another --out",
            self.folder.display()
        );
        if path.exists() {
            ensure!(
                artifact::read_to_string(&path)? == self.config,
                "{} was trained by another configuration, or on another device: remove the folder, or give another --out",
                self.folder.display()
            );
        }
        Ok(())
    }

    /// Trains the run with the program `train` in `root`. Resumes an interrupted run, and skips a finished one.
    pub(super) fn train(
        &self,
        train: &Path,
        root: &Path,
        device: &str,
        threads: usize,
    ) -> anyhow::Result<()> {
        if self.folder.join(Manifest::FILE).exists() {
            say(&format!("{} seed {}: done before", self.arm, self.seed));
            return Ok(());
        }
        let config = self.folder.join(CONFIG);
        artifact::write(&config, self.config.as_bytes())?;
        let mut command = Command::new(train);
        command.current_dir(root).arg("--config").arg(&config);
        command.args(["--seed", &self.seed.to_string(), "--device", device]);
        command.arg("--out").arg(&self.folder).arg("--resume");
        training::run(&mut command, threads)
    }

    /// Reads the finished run.
    pub(super) fn read(&self) -> anyhow::Result<Finished> {
        let manifest = Manifest::read(&self.folder)?;
        let metrics = self.folder.join(METRICS);
        let epochs = rows(&metrics)?;
        // If a finished run is restarted and interrupted, its folder holds the old manifest and new metrics.
        ensure!(
            epochs.len() == manifest.epochs && manifest.seed == self.seed,
            "{} has {} epochs, the finished run of seed {} has {}",
            metrics.display(),
            epochs.len(),
            manifest.seed,
            manifest.epochs
        );
        let (last, best_overall, best_epoch) =
            summary(&epochs).with_context(|| metrics.display().to_string())?;
        let recall = self.folder.join(RECALL);
        Ok(Finished {
            arm: self.arm.clone(),
            seed: self.seed,
            last,
            best_overall,
            best_epoch,
            manifest,
            classes: if recall.exists() {
                rows(&recall)?
            } else {
                Vec::new()
            },
        })
    }
}

/// Returns the last epoch's accuracies, the best overall accuracy of any epoch, and the earliest epoch with it.
fn summary(epochs: &[Epoch]) -> anyhow::Result<(Accuracy, f64, usize)> {
    let overall = |epoch: &Epoch| {
        let share = epoch.val_top1.filter(|share| share.is_finite());
        let share = share.with_context(|| format!("epoch {} has no val_top1", epoch.epoch))?;
        anyhow::Ok(100.0 * share)
    };
    let last = epochs.last().context("no epoch")?;
    let mut best = (overall(last)?, last.epoch);
    for epoch in epochs.iter().rev() {
        if overall(epoch)? >= best.0 {
            best = (overall(epoch)?, epoch.epoch);
        }
    }
    let percent = |share: Option<f64>| share.map(|v| 100.0 * v);
    let accuracy = Accuracy {
        overall: overall(last)?,
        many: percent(last.val_many),
        medium: percent(last.val_medium),
        few: percent(last.val_few),
    };
    Ok((accuracy, best.0, best.1))
}

/// Reads the rows of a CSV file with a header. Columns that `T` does not have are ignored.
fn rows<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    csv::Reader::from_reader(bytes.as_slice())
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests;
