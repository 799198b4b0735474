//! Why ONNX Runtime does not run a model.

use tailfold_spec::artifact::ArtifactError;

/// Kind of an ONNX Runtime error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrtErrorKind {
    /// ONNX Runtime's library is in none of the places where it is looked for.
    NoLibrary,
    /// ONNX Runtime's library is older than the oldest supported version.
    TooOld,
    /// ONNX Runtime's library is absent where it was named, damaged, or cannot be loaded.
    Library,
    /// The library has no such provider, or the provider lacks a library that it needs. The place is the back end.
    Provider,
    /// The machine has no GPU, or the provider does not support it.
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
    /// Why ONNX Runtime does not run a model; the text names the back end and what it lacks.
    pub struct OrtError(OrtErrorKind);
    ArtifactError => File,
}

impl OrtError {
    /// Whether ONNX Runtime, the provider or the GPU is not here, or the provider does not run all of the model; false for
    /// a library that is here and cannot be used.
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
