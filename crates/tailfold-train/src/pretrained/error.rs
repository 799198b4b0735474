//! What can be wrong with a file of published weights.

use std::path::PathBuf;

use tailfold_spec::TensorsError;
use tailfold_spec::artifact::ArtifactError;

use crate::weights::WeightError;

/// Published weights that do not fit the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PretrainedError {
    /// The file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not a safetensors file, or a tensor that is not f32.
    #[error(transparent)]
    Tensors(#[from] TensorsError),
    /// The network needs a tensor that is not there.
    #[error("{}: there is no tensor `{tensor}`, expected one of shape {expected:?}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape the network needs.
        expected: Vec<usize>,
    },
    /// A tensor of another network.
    #[error("{}: tensor `{tensor}` has the shape {found:?}, expected {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape found.
        found: Vec<usize>,
        /// Shape the network needs.
        expected: Vec<usize>,
    },
    /// Tensors that the network has no place for.
    #[error(
        "{}: the network has no place for tensor `{tensor}` of shape {shape:?} ({count} such tensors in all)",
        path.display()
    )]
    Extra {
        /// The file.
        path: PathBuf,
        /// Name of the first one.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many there are.
        count: usize,
    },
    /// NaN, infinite, or a negative variance.
    #[error("{}: tensor `{tensor}` has {value} at index {index}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The network's own tensors.
    #[error(transparent)]
    Weights(#[from] WeightError),
}
