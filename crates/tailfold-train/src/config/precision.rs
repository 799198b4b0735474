//! `precision`: the number type of the activations during training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Number type of the images and of the inputs and weights of the convolutions. The trained weights, their gradients,
/// batch normalisation, heads, losses and all computations outside of training stay in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// bfloat16: the range of single precision with 8 bits of precision, so that losses need no scaling. It is for GPUs
    /// with bfloat16 hardware; on the CPU it is slower than single precision, because the fused kernels do not support it.
    Bf16,
}
