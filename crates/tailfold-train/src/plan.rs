//! The constant parts of a run.

use burn::prelude::*;
use tailfold_spec::Manifest;

use crate::batches::BatchPlan;
use crate::config::TrainConfig;
use crate::images::Images;
use crate::objective::ClassifierLoss;

/// The parts of a run that no step changes.
pub(crate) struct RunPlan<'a> {
    pub(crate) config: &'a TrainConfig,
    pub(crate) device: &'a Device,
    pub(crate) batches: BatchPlan,
    pub(crate) validation: Option<Images>,
    /// Indices of the class-balanced training images.
    pub(crate) balanced: Vec<usize>,
    /// The manifest without the hashes of the files, which only a finished run has.
    pub(crate) manifest: Manifest,
    pub(crate) classifier_loss: ClassifierLoss,
}

impl RunPlan<'_> {
    /// Returns the class of each class-balanced training image.
    pub(crate) fn balanced_labels(&self) -> impl Iterator<Item = usize> {
        let labels = &self.batches.images.labels;
        self.balanced.iter().map(|&image| labels[image])
    }
}
