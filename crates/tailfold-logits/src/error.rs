//! Why a file's logits or labels cannot be read.

use std::path::PathBuf;

use tailfold_spec::artifact::ArtifactError;

/// A file of logits or labels that cannot be used. Each message names the file, the place in it and both sides.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogitFileError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file whose first bytes are those of no format that is read.
    #[error(
        "{} is no file of logits: it begins with {found}, neither as .npy nor as Parquet nor as safetensors", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: String,
    },
    /// A table in Parquet, which this build does not read (feature `parquet`).
    #[error(
        "{} is Parquet, which this program was built without: build it with the feature `parquet`, or write .npy", path.display()
    )]
    NotBuiltIn {
        /// The file.
        path: PathBuf,
    },
    /// A file that is shorter or longer than its own header says.
    #[error(
        "{}: the header describes a file of {expected} bytes, but it has {found}", path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes by the header.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A sound file of another content than is needed.
    #[error("{}: {place} is {found}, expected {expected}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Array, tensor or column.
        place: String,
        /// What it is.
        found: String,
        /// What is needed, and how to write it.
        expected: String,
    },
    /// A row that is not like the others.
    #[error("{}: row {row}: {found}, expected {expected}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, from 0; in a text file, of its lines.
        row: u64,
        /// What it is.
        found: String,
        /// What is needed.
        expected: String,
    },
    /// Bytes that are not what the format says, or are written in a way that is not read.
    #[error("{}: {place} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Header, row group and column.
        place: String,
        /// What does not fit.
        why: String,
    },
}
