//! The error of reading data: from a specification to an image in memory.

use tailfold_spec::{PreprocessError, artifact::ArtifactError};

use crate::augment::AugmentError;
use crate::spec::SpecError;

/// Kind of a data error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataErrorKind {
    /// The data specification cannot be parsed, or its data does not have what it asks for: a split, an imbalance.
    Specification,
    /// A file is not there.
    Missing,
    /// A file cannot be read or written.
    File,
    /// A file does not have the content that its format or its header says.
    Damaged,
    /// A file or folder has no image.
    Empty,
    /// An image cannot be decoded or encoded, or has another size than needed.
    Image,
    /// A class has too few images, or two classes have one name.
    Classes,
    /// A file, an image or a data set is larger than the limit.
    Limit,
    /// The cache of decoded images is damaged.
    Cache,
    /// A preprocessing or an augmentation cannot be carried out.
    Configuration,
}

tailfold_spec::error_type! {
    /// Data that cannot be used; the text names the file and, where there is one, the record or line.
    pub struct DataError(DataErrorKind);
    SpecError => Specification,
    ArtifactError => File,
    PreprocessError => Configuration,
    AugmentError => Configuration,
}
