//! What stays the same during a run.

use burn::prelude::*;
use tailfold_spec::Manifest;

use crate::batches::BatchPlan;
use crate::config::TrainConfig;
use crate::images::Images;
use crate::objective::ClassifierLoss;

/// Parts of a run that no step changes.
pub(crate) struct RunPlan<'a> {
    pub(crate) config: &'a TrainConfig,
    pub(crate) device: &'a Device,
    pub(crate) batches: BatchPlan,
    pub(crate) validation: Option<Images>,
    /// Class-balanced training images, as indices.
    pub(crate) balanced: Vec<usize>,
    /// Without the hashes of the files, which a finished run has.
    pub(crate) manifest: Manifest,
    pub(crate) classifier_loss: ClassifierLoss,
}

impl RunPlan<'_> {
    /// Class of each of the class-balanced training images.
    pub(crate) fn balanced_labels(&self) -> impl Iterator<Item = usize> {
        let labels = &self.batches.images.labels;
        self.balanced.iter().map(|&image| labels[image])
    }
}
