//! Sums over the steps of an epoch.

use serde::{Deserialize, Serialize};

/// Sums over the steps of an unfinished epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpochSums {
    /// Number of steps done.
    pub(crate) steps: usize,
    pub(crate) images: usize,
    pub(crate) total: f64,
    pub(crate) classifier: f64,
    pub(crate) contrastive: f64,
    pub(crate) top1: f64,
    /// Learning rate of the last step.
    pub(crate) rate: f64,
    /// Number of solutions of the offsets.
    pub(crate) updates: usize,
    /// Total number of solver steps in these solutions.
    pub(crate) iterations: usize,
    /// Time in steps, including the wait for batches, in seconds.
    pub(crate) seconds: f64,
    /// Time spent waiting for batches, in seconds.
    pub(crate) waited: f64,
    /// Time spent making batches, in the thread that makes them, in seconds.
    pub(crate) loading: f64,
}

impl EpochSums {
    /// Training images per second, including the wait for batches.
    pub(crate) fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}
