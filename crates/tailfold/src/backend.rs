//! Back ends: the engines that run a model.

use std::fmt;
use std::str::FromStr;

use tailfold_integer::IntegerClassifier;
use tailfold_onnx::Model;
#[cfg(feature = "ort")]
use tailfold_ort::Provider;
#[cfg(feature = "tract")]
use tailfold_tract::TractClassifier;

#[cfg(feature = "ort")]
use crate::prepared::on_ort;
use crate::{Options, Prepared, RuntimeError, RuntimeErrorKind};

/// A back end: the engine that runs a model. Every build knows all names; a back end that a build lacks is an error
/// when it is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Backend {
    /// tract on the CPU, with tailfold's integer kernels for quantized layers.
    Tract,
    /// Unmodified tract on the CPU, as a baseline: it runs quantized models in float arithmetic.
    TractStock,
    /// Integer kernels alone, for models without float layers.
    Integer,
    /// ONNX Runtime on the CPU.
    Ort,
    /// ONNX Runtime with its CUDA provider.
    Cuda,
    /// ONNX Runtime with its TensorRT provider.
    Tensorrt,
    /// ONNX Runtime with the plug-in provider of TensorRT for RTX.
    TensorrtRtx,
}

/// The error of a name that no back end has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no back end `{0}`: expected tract, tract-stock, integer, ort, cuda, tensorrt or tensorrt-rtx"
)]
pub struct UnknownBackend(pub String);

impl Backend {
    /// All back ends.
    pub const ALL: [Self; 7] = [
        Self::Tract,
        Self::TractStock,
        Self::Integer,
        Self::Ort,
        Self::Cuda,
        Self::Tensorrt,
        Self::TensorrtRtx,
    ];

    /// The back end for float models, if this build has one.
    pub const FLOAT: Option<Self> = cfg_select! {
        feature = "tract" => { Some(Self::TractStock) }
        _ => { None }
    };

    /// Returns the name, which [`str::parse`] accepts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::TractStock => "tract-stock",
            Self::Integer => "integer",
            Self::Ort => "ort",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
            Self::TensorrtRtx => "tensorrt-rtx",
        }
    }

    /// Returns the feature of this package that adds the back end; `None` if every build has it.
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Self::Tract | Self::TractStock => Some("tract"),
            Self::Integer => None,
            Self::Ort | Self::Cuda | Self::Tensorrt | Self::TensorrtRtx => Some("ort"),
        }
    }

    /// Returns the error of a build without this back end.
    pub fn not_built(self) -> RuntimeError {
        let (name, feature) = (self.name(), self.feature().unwrap_or_default());
        RuntimeErrorKind::NotBuilt.error(format!(
            "this program was built without the back end `{name}`: build it with the feature \
             `{feature}`"
        ))
    }

    /// Prepares `model`, a classifier in canonical form, for this back end and drops the decoded graph; `name` is the file
    /// in messages.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::NotBuilt`] for a back end that this build lacks, otherwise the back end's own error.
    pub fn prepare(
        self,
        model: Model,
        name: &str,
        options: &Options,
    ) -> Result<Prepared, RuntimeError> {
        match self {
            #[cfg(feature = "tract")]
            Self::Tract => Ok(TractClassifier::from_model(model, name)?
                .with_threads(options.threads, name)?
                .into()),
            #[cfg(feature = "tract")]
            Self::TractStock => Ok(TractClassifier::stock(&model, name)?.into()),
            Self::Integer => IntegerClassifier::from_model(model)
                .and_then(|classifier| classifier.with_threads(options.threads))
                .map(Into::into)
                .map_err(|cause| RuntimeError::of(RuntimeErrorKind::Unsupported, cause).at(name)),
            #[cfg(feature = "ort")]
            Self::Ort => on_ort(Provider::Cpu, &model, name, options),
            #[cfg(feature = "ort")]
            Self::Cuda => on_ort(Provider::Cuda, &model, name, options),
            #[cfg(feature = "ort")]
            Self::Tensorrt => on_ort(Provider::Tensorrt, &model, name, options),
            #[cfg(feature = "ort")]
            Self::TensorrtRtx => on_ort(Provider::TensorrtRtx, &model, name, options),
            #[cfg(not(all(feature = "tract", feature = "ort")))]
            absent => Err(absent.not_built()),
        }
    }
}

impl Default for Backend {
    /// The back end of this build that runs the most models without an external library.
    fn default() -> Self {
        if cfg!(feature = "tract") {
            Self::Tract
        } else {
            Self::Integer
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == text)
            .ok_or_else(|| UnknownBackend(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        let error = "cpu".parse::<Backend>().unwrap_err().to_string();
        for backend in Backend::ALL {
            assert!(error.contains(backend.name()), "{error}");
        }
    }
}
