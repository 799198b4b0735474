//! Why an export cannot be made.

use std::error::Error;
use std::fmt;

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

/// Why an export cannot be made. Nothing is written.
#[derive(Debug)]
pub struct ExportError {
    kind: ErrorKind,
    /// The message; the cause speaks for itself without one.
    message: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ExportError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: Some(message.into()),
            cause: None,
        }
    }

    /// The part that failed.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The same error with its place, such as a file, before its message.
    #[must_use]
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self {
            kind: self.kind,
            message: Some(place.to_string()),
            cause: Some(Box::new(self)),
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.message, &self.cause) {
            (Some(message), _) => f.write_str(message),
            (None, Some(cause)) => cause.fmt(f),
            (None, None) => f.write_str("unknown error"),
        }
    }
}

impl Error for ExportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref()?;
        match self.message {
            Some(_) => Some(cause),
            None => cause.source(),
        }
    }
}

macro_rules! kinds {
    ($($cause:ty => $kind:ident),* $(,)?) => {
        $(impl From<$cause> for ExportError {
            fn from(cause: $cause) -> Self {
                Self {
                    kind: ErrorKind::$kind,
                    message: None,
                    cause: Some(Box::new(cause)),
                }
            }
        })*
    };
}

kinds! {
    ArtifactError => File,
    ManifestError => File,
    TensorsError => File,
    OnnxError => Model,
    PriorError => Prior,
    DataError => Data,
    NoLastBias => Model,
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
        Self {
            kind,
            message: None,
            cause: Some(Box::new(cause)),
        }
    }
}
