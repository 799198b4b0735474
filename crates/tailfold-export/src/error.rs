//! The error of an export.

use tailfold::{RuntimeError, RuntimeErrorKind};
use tailfold_data::DataError;
use tailfold_onnx::{NoLastBias, OnnxError};
use tailfold_sdot::SolveError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ManifestError, PriorError, TensorsError};

/// The part of an export that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The run folder or a file cannot be read or written.
    File,
    /// The model cannot be opened, run or folded.
    Model,
    /// The prior does not fit the classes.
    Prior,
    /// The images cannot be read, or do not have the classes of the model.
    Data,
    /// Accuracy would be measured on images that the model or its offsets were made from.
    Overlap,
    /// The solver refused the problem.
    Solve,
    /// The written file does not give the expected logits.
    Verify,
    /// The model does not have the requested offsets: a third-party file has no training offsets.
    Offsets,
}

tailfold_spec::error_type! {
    /// The error of an export. A failed export writes nothing.
    pub struct ExportError(ErrorKind);
    ArtifactError => File,
    ManifestError => File,
    TensorsError => File,
    OnnxError => Model,
    NoLastBias => Model,
    PriorError => Prior,
    DataError => Data,
    SolveError => Solve,
}

impl From<RuntimeError> for ExportError {
    fn from(cause: RuntimeError) -> Self {
        let kind = match cause.kind() {
            RuntimeErrorKind::File => ErrorKind::File,
            RuntimeErrorKind::Image | RuntimeErrorKind::Classes => ErrorKind::Data,
            RuntimeErrorKind::Verify | RuntimeErrorKind::NotFinite => ErrorKind::Verify,
            _ => ErrorKind::Model,
        };
        Self::of(kind, cause)
    }
}
