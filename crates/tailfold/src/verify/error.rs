//! Why a model cannot be compared with its expected logits.

use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ManifestError, RunError, ShapeError, TensorsError};

/// Why a model cannot be compared with its expected logits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A run folder that cannot be read, or that was altered.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file that has not the tensors of goldens.
    #[error(transparent)]
    Tensors(#[from] TensorsError),
    /// Goldens whose values do not fill their shape.
    #[error(transparent)]
    Values(#[from] ShapeError),
    /// The back end did not answer.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Goldens of another model.
    #[error("{file}: these goldens are of another model: {why}")]
    OtherModel {
        /// The file of the goldens.
        file: String,
        /// Both sides of the mismatch.
        why: String,
    },
    /// A model without a record of its offsets.
    #[error("the model's offsets are not folded")]
    NotFolded,
    /// No image to compare.
    #[error("there is no image to compare")]
    NoImage,
    /// Logits of different shapes, `[images, classes]`.
    #[error("{} rows of {} logits came back, expected {} of {}", found[0], found[1], expected[0], expected[1])]
    Shape {
        /// Of the expected logits.
        expected: [usize; 2],
        /// Of the model's logits.
        found: [usize; 2],
    },
    /// A logit that is NaN or infinite.
    #[error("image {image}: a logit is not a finite number")]
    NotFinite {
        /// Index of the image.
        image: usize,
    },
}
