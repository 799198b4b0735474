//! The error of [`Description`](super::Description).

use tailfold_spec::{CardError, PreprocessError};

use crate::OnnxError;
use crate::model::lengths;

/// A missing, contradictory or impossible description of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// A required value that neither the metadata nor the caller gives.
    #[error("the model has no metadata `{missing}`: give {flags}")]
    Missing {
        /// Key of the metadata.
        missing: &'static str,
        /// Command-line flags that give the value.
        flags: &'static str,
    },
    /// A value of the caller that differs from the metadata.
    #[error("the model's metadata says {field} {file}, the command line {caller}")]
    Contradiction {
        /// Name of the value.
        field: &'static str,
        /// Value in the metadata.
        file: String,
        /// Value of the caller.
        caller: String,
    },
    /// A mean and standard deviation for a graph that normalises its input itself.
    #[error(
        "node `{node}` of the graph normalises the image already, so mean {mean:?} and std {std:?} would do it twice: give --mean 0 and --std 1 for a graph that expects 0..1, or --std 0.00392157 for one that expects 0..255"
    )]
    Twice {
        /// First node that normalises.
        node: String,
        /// Mean of the caller.
        mean: Vec<f32>,
        /// Standard deviation of the caller.
        std: Vec<f32>,
    },
    /// A mean and standard deviation for a uint8 input, which takes the bytes of the image.
    #[error(
        "the model's input is uint8: it takes the bytes of the image as they are, but mean {mean:?} and std {std:?} were given"
    )]
    Bytes {
        /// Mean of the caller.
        mean: Vec<f32>,
        /// Standard deviation of the caller.
        std: Vec<f32>,
    },
    /// A mean that is not on the 0..1 scale.
    #[error("mean {mean:?} is not on the 0..1 scale: divide mean and std by 255")]
    Scale {
        /// Mean of the caller.
        mean: Vec<f32>,
    },
    /// A number of training counts that differs from the number of classes.
    #[error("{counts} training counts for {classes} classes")]
    Counts {
        /// Number of training counts.
        counts: usize,
        /// Number of class names.
        classes: usize,
    },
    /// An input whose channels, height or width are not fixed.
    #[error("the size of an image is not fixed: the input has the shape {}", lengths(.0))]
    Size([Option<usize>; 4]),
    /// Preprocessing that cannot be applied.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Metadata that cannot be read.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Invalid ports of the model, or metadata that does not match them.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}
