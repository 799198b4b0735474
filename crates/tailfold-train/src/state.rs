//! State of a run: the parts that a step changes and that a saved state holds.

use burn::optim::ModuleOptimizer;

use crate::epoch_sums::EpochSums;
use crate::networks::Network;
use crate::offsets::OffsetState;
use crate::report::EpochReport;

/// A run between two steps.
pub(crate) struct RunState {
    pub(crate) network: Network,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) offsets: Option<OffsetState>,
    /// Mean length of the last step's features under the head; 1 before the first.
    pub(crate) radius: f32,
    /// One row per finished epoch.
    pub(crate) reports: Vec<EpochReport>,
    /// The epoch in progress.
    pub(crate) sums: EpochSums,
}
