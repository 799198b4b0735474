//! Why ONNX Runtime does not run a model.

use crate::{EngineError, GpuError, LibraryError};

/// Why ONNX Runtime does not run a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrtError {
    /// There is no usable library.
    #[error("the back end `{provider}` needs ONNX Runtime")]
    Library {
        /// Back end.
        provider: &'static str,
        /// Where it was looked for, or what is wrong with it.
        source: LibraryError,
    },
    /// The library has no such provider.
    #[error("{provider}: the ONNX Runtime at {library} has no {ort_name}; install {install}")]
    ProviderMissing {
        /// Back end.
        provider: &'static str,
        /// ONNX Runtime's library.
        library: String,
        /// ONNX Runtime's name of the provider.
        ort_name: &'static str,
        /// What would bring it.
        install: &'static str,
    },
    /// The provider needs a library that is not there.
    #[error(
        "{provider}: {missing} cannot be found, which {ort_name} needs; install {install}, and put its folder on LD_LIBRARY_PATH"
    )]
    NeedsLibrary {
        /// Back end.
        provider: &'static str,
        /// ONNX Runtime's name of the provider.
        ort_name: &'static str,
        /// File name of the library.
        missing: String,
        /// What would bring it.
        install: &'static str,
    },
    /// The provider needs another version of a library.
    #[error(
        "{provider}: {ort_name} needs {wanted}, but {found} is what is there: another version; install {install}"
    )]
    WrongVersion {
        /// Back end.
        provider: &'static str,
        /// ONNX Runtime's name of the provider.
        ort_name: &'static str,
        /// File name of the library that is needed.
        wanted: String,
        /// Path of what is there.
        found: String,
        /// What would bring it.
        install: &'static str,
    },
    /// A GPU is needed.
    #[error("{provider} needs an NVIDIA GPU")]
    Gpu {
        /// Back end.
        provider: &'static str,
        /// What there is instead.
        #[source]
        source: GpuError,
    },
    /// The provider does not know this GPU.
    #[error("{provider}: {ort_name} does not support this GPU ({gpu}): {message}")]
    UnsupportedGpu {
        /// Back end.
        provider: &'static str,
        /// ONNX Runtime's name of the provider.
        ort_name: &'static str,
        /// The GPU.
        gpu: String,
        /// ONNX Runtime's message.
        message: String,
    },
    /// The provider cannot run all of the network.
    #[error(
        "{provider}: {name} has nodes that {ort_name} does not run, and nothing is left to the CPU in silence: {message}"
    )]
    Partial {
        /// Back end.
        provider: &'static str,
        /// ONNX Runtime's name of the provider.
        ort_name: &'static str,
        /// The model.
        name: String,
        /// ONNX Runtime's message.
        message: String,
    },
    /// A model that is no image classifier.
    #[error("{name}: {what}, expected {expected}")]
    Shape {
        /// The model.
        name: String,
        /// What it has.
        what: String,
        /// What it should have.
        expected: &'static str,
    },
    /// Engines cannot be kept.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The rest.
    #[error("{provider} cannot run {name}: {message}")]
    Session {
        /// Back end.
        provider: &'static str,
        /// The model.
        name: String,
        /// ONNX Runtime's message.
        message: String,
    },
}

impl OrtError {
    /// Whether ONNX Runtime, the provider or the GPU is not here, or the provider does not run all of the model; false for
    /// a library that is here and cannot be used.
    pub fn lacks_backend(&self) -> bool {
        match self {
            Self::Library { source, .. } => matches!(source, LibraryError::Nowhere { .. }),
            Self::ProviderMissing { .. }
            | Self::NeedsLibrary { .. }
            | Self::WrongVersion { .. }
            | Self::Gpu { .. }
            | Self::UnsupportedGpu { .. }
            | Self::Partial { .. } => true,
            _ => false,
        }
    }
}
