//! Stages of the chain, and the back ends that each is for.

use std::fmt;

use serde::Serialize;
use tailfold::Backend;

/// What is compared at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    /// Answers of the training framework.
    Golden,
    /// The float model.
    Float,
    /// The model in half precision.
    Fp16,
    /// The quantized model.
    Int8,
}

impl Stage {
    /// Back ends that are tried, in the order of the steps.
    ///
    /// The GPU's are not for float: CUDA multiplies f32 with the precision of TF32, which no tolerance of rounding holds. tract has no
    /// half precision.
    pub(super) fn backends(self) -> &'static [Backend] {
        match self {
            Self::Golden => &[],
            Self::Float => &[Backend::TractStock, Backend::Ort],
            Self::Fp16 => &[Backend::Ort, Backend::Cuda, Backend::Tensorrt],
            Self::Int8 => &[
                Backend::Integer,
                Backend::Tract,
                Backend::TractStock,
                Backend::Ort,
                Backend::Cuda,
                Backend::Tensorrt,
                Backend::TensorrtRtx,
            ],
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Golden => "goldens",
            Self::Float => "float",
            Self::Fp16 => "FP16",
            Self::Int8 => "INT8",
        })
    }
}
