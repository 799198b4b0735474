//! The error of a prior file.

use crate::artifact::ArtifactError;

/// Kind of an error of a prior file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriorErrorKind {
    /// The file is missing or unreadable.
    File,
    /// The file is not JSON, or neither a list nor an object of masses.
    Format,
    /// The file does not have exactly one mass per class of the model.
    Classes,
    /// A mass is not positive or vanishes in the sum.
    Mass,
}

crate::error_type! {
    /// The file is not a valid prior for the model; the message names the file and the class.
    pub struct PriorError(PriorErrorKind);
    ArtifactError => File,
}
