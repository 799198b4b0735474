//! The error of a file of logits.

use tailfold_spec::artifact::ArtifactError;

/// Kind of an error of a logits file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogitFileErrorKind {
    /// The file cannot be read.
    File,
    /// The file has none of the formats that are read.
    Format,
    /// The file is Parquet, which this build does not read.
    NotBuilt,
    /// The file is cut short or damaged, or is written in a way that is not read.
    Damaged,
    /// An array, a column or a row has another form than needed.
    Content,
}

tailfold_spec::error_type! {
    /// A file of logits that cannot be used; the text names the file and the array, column or row.
    pub struct LogitFileError(LogitFileErrorKind);
    ArtifactError => File,
}
