//! Runtimes that quantized models are made for, and their requirements.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use tailfold_onnx::Model;

use crate::affine::Scheme;
use crate::emit;
use crate::error::{QuantError, QuantErrorKind};
use crate::plan::Plan;
use crate::regions::Placement;

/// The runtime that a file is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// tailfold's own integer kernels with tract: uint8 activations, int8 weights with per-channel scales,
    /// float biases.
    #[default]
    Tract,
    /// ONNX Runtime on x86: as for tract, but with int32 biases of scale `s_x * s_w`.
    OrtX86,
    /// TensorRT: int8 activations and weights, all zero points 0, float biases.
    TensorRt,
}

impl Target {
    /// All targets, the default first.
    pub const ALL: [Self; 3] = [Self::Tract, Self::OrtX86, Self::TensorRt];

    /// Returns the name, which [`FromStr`] parses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::OrtX86 => "ort-x86",
            Self::TensorRt => "tensorrt",
        }
    }

    pub(crate) fn scheme(self) -> Scheme {
        match self {
            Self::Tract | Self::OrtX86 => Scheme::Affine,
            Self::TensorRt => Scheme::Symmetric,
        }
    }

    pub(crate) fn placement(self) -> Placement {
        match self {
            Self::Tract | Self::OrtX86 => Placement::EveryLayer,
            Self::TensorRt => Placement::WeightsAndShortcuts,
        }
    }

    /// Returns, for each weight, the smallest scale per channel that the target supports; a weight that is
    /// not in the map has no limit.
    pub(crate) fn scale_floors(
        self,
        model: &Model,
        plan: &Plan,
    ) -> Result<BTreeMap<String, Vec<f32>>, QuantError> {
        match self {
            Self::Tract | Self::TensorRt => Ok(BTreeMap::new()),
            Self::OrtX86 => emit::scale_floors(model, plan),
        }
    }

    pub(crate) fn emit(self, model: &mut Model, plan: &Plan) -> Result<(), QuantError> {
        match self {
            Self::Tract => emit::tract(model, plan),
            Self::OrtX86 => emit::ort_x86(model, plan),
            Self::TensorRt => emit::tensorrt(model, plan),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Target {
    type Err = QuantError;

    fn from_str(text: &str) -> Result<Self, QuantError> {
        let mut all = Self::ALL.into_iter();
        all.find(|target| target.name() == text).ok_or_else(|| {
            QuantErrorKind::Option.error(format!(
                "unknown target `{text}`: expected `tract`, `ort-x86` or `tensorrt`"
            ))
        })
    }
}
