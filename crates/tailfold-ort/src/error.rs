//! Errors of running a model with ONNX Runtime.

use tailfold_spec::artifact::ArtifactError;

/// Kind of an ONNX Runtime error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrtErrorKind {
    /// ONNX Runtime's library was not found in any of its usual places.
    NoLibrary,
    /// ONNX Runtime's library is older than the oldest supported version.
    TooOld,
    /// ONNX Runtime's library is missing at the given path, damaged, or cannot be loaded.
    Library,
    /// The library does not have the provider, or a library that the provider needs is missing. The text
    /// names the back end.
    Provider,
    /// The machine does not have a GPU, or the provider does not support the GPU.
    Gpu,
    /// The provider does not run all nodes of the model.
    Partial,
    /// The model is not an image classifier.
    Model,
    /// No folder for engines is known.
    NoEngineFolder,
    /// A file of an engine cannot be read or written.
    File,
    /// ONNX Runtime refused the model for another reason.
    Session,
}

tailfold_spec::error_type! {
    /// Error of ONNX Runtime; the text names the back end and the missing part.
    pub struct OrtError(OrtErrorKind);
    ArtifactError => File,
}

impl OrtError {
    /// Returns whether ONNX Runtime, the provider or the GPU is missing, or the provider cannot run the whole
    /// model; false for a library that exists but cannot be used.
    pub fn lacks_backend(&self) -> bool {
        matches!(
            self.kind,
            OrtErrorKind::NoLibrary
                | OrtErrorKind::Provider
                | OrtErrorKind::Gpu
                | OrtErrorKind::Partial
        )
    }
}
