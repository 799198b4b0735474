//! The error of reading data.

use tailfold_spec::{PreprocessError, artifact::ArtifactError};

use crate::augment::AugmentError;
use crate::spec::SpecError;

/// Kind of a data error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataErrorKind {
    /// The data specification cannot be parsed, or its data has no such split or imbalance.
    Specification,
    /// A file does not exist.
    Missing,
    /// A file cannot be read or written.
    File,
    /// The content of a file contradicts its format or its header.
    Damaged,
    /// A file or folder has no image.
    Empty,
    /// An image cannot be decoded or encoded, or has the wrong size.
    Image,
    /// A class has too few images, or two classes have the same name.
    Classes,
    /// A file, an image or a data set is larger than the limit.
    Limit,
    /// The cache of decoded images is damaged.
    Cache,
    /// A preprocessing or an augmentation is invalid.
    Configuration,
}

tailfold_spec::error_type! {
    /// Data that cannot be used; the message names the file and, if there is one, the record or line.
    pub struct DataError(DataErrorKind);
    SpecError => Specification,
    ArtifactError => File,
    PreprocessError => Configuration,
    AugmentError => Configuration,
}
