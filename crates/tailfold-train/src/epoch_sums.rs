//! Sums over the steps of an epoch.

use serde::{Deserialize, Serialize};

/// Sums over the steps of an unfinished epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpochSums {
    /// Steps done.
    pub(crate) steps: usize,
    pub(crate) images: usize,
    pub(crate) total: f64,
    pub(crate) classifier: f64,
    pub(crate) contrastive: f64,
    pub(crate) top1: f64,
    /// Learning rate of the last step.
    pub(crate) rate: f64,
    /// Solutions of the offsets.
    pub(crate) updates: usize,
    /// Steps of the solver in all of them.
    pub(crate) iterations: usize,
    /// In steps, waiting for batches included.
    pub(crate) seconds: f64,
    /// Waiting for batches.
    pub(crate) waited: f64,
    /// Making batches, in the thread that does.
    pub(crate) loading: f64,
}

impl EpochSums {
    /// Images a second, waiting included.
    pub(crate) fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}
