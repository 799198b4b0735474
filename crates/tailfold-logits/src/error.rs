//! Errors of reading a logits file.

use tailfold_spec::artifact::ArtifactError;

/// Kind of a [`LogitFileError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogitFileErrorKind {
    /// The file cannot be read.
    File,
    /// The file has an unknown format.
    Format,
    /// The file is Parquet, and this build cannot read Parquet.
    NotBuilt,
    /// The file is cut short or damaged, or uses an unsupported encoding.
    Damaged,
    /// An array, a column or a row has an unexpected type, shape or value.
    Content,
}

tailfold_spec::error_type! {
    /// A logits file cannot be used; the message names the file and the array, column or row.
    pub struct LogitFileError(LogitFileErrorKind);
    ArtifactError => File,
}
