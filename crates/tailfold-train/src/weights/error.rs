//! What can be wrong with a network's weights.

/// Weights that do not fit their network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// A tensor of the network has no value.
    #[error("the checkpoint has no tensor `{0}`")]
    Missing(String),
    /// Another network.
    #[error("tensor `{name}` has shape {found:?}, the network expects {expected:?}")]
    Shape {
        /// Tensor.
        name: String,
        /// Shape in the checkpoint.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// A shape that its values do not fill.
    #[error("tensor `{name}` has shape {shape:?} but {found} values")]
    Values {
        /// Tensor.
        name: String,
        /// Shape in the checkpoint, the network's.
        shape: Vec<usize>,
        /// Values in the checkpoint.
        found: usize,
    },
    /// A NaN or an infinity.
    #[error("tensor `{name}` is {value} at index {index}")]
    NotFinite {
        /// Tensor.
        name: String,
        /// Flat index.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The back end did not hand out its values.
    #[error("tensor `{name}` could not be read from the device: {message}")]
    Device {
        /// Tensor.
        name: String,
        /// The back end's message.
        message: String,
    },
}
