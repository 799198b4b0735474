//! `precision`: the number type of activations while training.

use serde::{Deserialize, Serialize};

/// Number type of the images and of the convolutions' inputs and weights. The weights that are trained, their gradients,
/// batch normalisation, heads, losses and everything outside of training stay in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// bfloat16: the range of single precision with 8 bits of it, so that losses need no scaling. For GPUs that have it in
    /// hardware; on the CPU it is slower than single precision, and the fused kernels do not take it.
    Bf16,
}
