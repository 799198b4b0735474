//! The state of a run: the parts that steps change and that a saved state contains.

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
    /// Mean length of the last step's features as the head receives them; 1 before the first.
    pub(crate) radius: f32,
    /// One row per finished epoch.
    pub(crate) reports: Vec<EpochReport>,
    /// Sums of the epoch in progress.
    pub(crate) sums: EpochSums,
}
