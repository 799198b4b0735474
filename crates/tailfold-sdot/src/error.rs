//! The error of a transport problem.

use std::error::Error;
use std::fmt;

/// Kind of an error of a problem or a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SolveErrorKind {
    /// A problem has no classes, columns, samples or parts.
    Empty,
    /// A length does not fit the scores, or is not a whole number of rows.
    Length,
    /// A label is beyond the last class.
    Label,
    /// A score, a feature, a weight or an offset is NaN or infinite, or can become so.
    NotFinite,
    /// A target mass, a sample weight or a share is not positive, or their sum is not usable.
    Mass,
    /// A setting is out of its range.
    Setting,
    /// The device of the sample failed.
    Device,
    /// A dense Hessian for this number of classes would be too large.
    TooManyClasses,
}

/// A problem or a measure that cannot be posed or solved; the message names the class or the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolveError {
    kind: SolveErrorKind,
    message: String,
}

impl SolveErrorKind {
    /// Returns an error of this kind with a message that states the fact.
    pub(crate) fn error(self, message: impl Into<String>) -> SolveError {
        SolveError {
            kind: self,
            message: message.into(),
        }
    }
}

impl SolveError {
    /// Returns the kind, so that a caller can act on it.
    pub fn kind(&self) -> SolveErrorKind {
        self.kind
    }
}

impl fmt::Display for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SolveError {}
