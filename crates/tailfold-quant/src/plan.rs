//! The layers and tensors to quantize.

use std::collections::BTreeMap;

use crate::affine::ActivationParams;
use crate::regions::Region;
use crate::weights::WeightParams;

/// Layers and tensors to quantize, with their quantization parameters: the input of a target's emitter.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) region: Region,
    /// Scale and zero point of every quantized activation, by name.
    pub(crate) params: BTreeMap<String, ActivationParams>,
    /// Quantized values of every quantized weight, by name.
    pub(crate) weights: BTreeMap<String, WeightParams>,
}
