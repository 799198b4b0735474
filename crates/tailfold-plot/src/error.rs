//! Errors of drawing and writing a picture.

use std::path::PathBuf;

use tailfold_spec::artifact::ArtifactError;

/// A picture cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The file name ends neither in `.svg` nor in `.png`.
    #[error("{}: a picture is .svg or .png", .0.display())]
    Ending(PathBuf),
    /// The embedded font is invalid.
    #[error("the embedded font is invalid")]
    Font,
    /// The drawing backend failed.
    #[error("the picture failed: {0}")]
    Paint(String),
    /// The PNG encoder refused the pixels.
    #[error("the picture cannot be encoded as PNG: {0}")]
    Png(#[from] png::EncodingError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ArtifactError),
}
