//! The error of a file of masses.

use crate::artifact::ArtifactError;

/// Kind of an error of a prior file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriorErrorKind {
    /// The file is missing or unreadable.
    File,
    /// The file is not JSON, or neither a list nor an object of masses.
    Format,
    /// The masses are not one for each class of the model.
    Classes,
    /// A mass is not positive, or vanishes beside the others.
    Mass,
}

crate::error_type! {
    /// A file that is not a prior of the model; the text names the file and the class.
    pub struct PriorError(PriorErrorKind);
    ArtifactError => File,
}
