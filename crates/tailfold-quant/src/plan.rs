//! What becomes integer in a graph.

use std::collections::BTreeMap;

use crate::affine::ActivationParams;
use crate::regions::Region;
use crate::weights::WeightParams;

/// What becomes integer, and with which codes: what a target's emitter writes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) region: Region,
    /// Of every tensor that carries codes.
    pub(crate) params: BTreeMap<String, ActivationParams>,
    /// Of every weight that becomes codes, by its name.
    pub(crate) weights: BTreeMap<String, WeightParams>,
}
