//! Why there is no picture.

use std::path::PathBuf;

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
    /// The encoder refuses the pixels.
    #[error("the picture cannot be encoded as PNG: {0}")]
    Png(#[from] png::EncodingError),
    /// The file.
    #[error(transparent)]
    File(#[from] ArtifactError),
}
