//! Why there is no picture.

use std::path::PathBuf;

use tailfold_data::DataError;
use tailfold_spec::artifact::ArtifactError;

/// A picture that was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A file of another kind.
    #[error("{}: a picture is .svg or .png", .0.display())]
    Ending(PathBuf),
    /// The font that comes along.
    #[error("the embedded font is invalid")]
    Font,
    /// What the canvas said.
    #[error("the picture failed: {0}")]
    Paint(String),
    /// The pixels have no PNG.
    #[error(transparent)]
    Png(#[from] DataError),
    /// The file.
    #[error(transparent)]
    File(#[from] ArtifactError),
}
