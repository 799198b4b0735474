//! The error of [`crate::canonical()`].

use crate::{CheckError, OnnxError, TensorError};

/// A model that has no canonical form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// An opset version outside the supported range.
    #[error("the model uses version {found} of the standard operators, expected {first} to {last}")]
    Opset {
        /// Opset version of the model.
        found: i64,
        /// Oldest supported version.
        first: i64,
        /// Newest supported version.
        last: i64,
    },
    /// An operator that does not exist in opset 13.
    #[error(
        "node `{node}`: {operator} was removed from the standard operators; export the model with opset version 13 or later"
    )]
    Removed {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A branch or loop whose condition is not a constant.
    #[error("node `{node}`: {operator} with a condition that is not a constant is not supported")]
    Branch {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A node in training mode.
    #[error(
        "node `{node}`: {operator} is in training_mode: its answer depends on the batch or on chance; export the model in evaluation mode"
    )]
    Training {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A constant above the size limit.
    #[error("node `{node}`: {operator} makes more than {limit} elements")]
    TooLarge {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// Largest supported number of elements.
        limit: usize,
    },
    /// A Reshape or Expand to a shape above the size limit.
    #[error("node `{node}`: {operator} to {elements} elements, expected at most {limit}")]
    Shape {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// Number of elements of the shape.
        elements: i64,
        /// Largest supported number of elements.
        limit: usize,
    },
    /// Constants that are small each and too large together.
    #[error(
        "node `{node}`: {operator} of constants, and the nodes before it, need more memory or time than the loader spends"
    )]
    Folding {
        /// The node where the limit is reached.
        node: String,
        /// The operator.
        operator: String,
    },
    /// Branches that need more work than the loader spends.
    #[error(
        "node `{node}`: {operator} and the branches before it need more time than the loader spends"
    )]
    Branches {
        /// The node where the limit is reached.
        node: String,
        /// The operator.
        operator: String,
    },
    /// Model-local functions that cannot be inlined.
    #[error("the model's own functions {0}")]
    Functions(&'static str),
    /// A Constant that does not hold a numeric tensor.
    #[error("the constant `{0}` is not a numeric tensor")]
    Constant(String),
    /// A requested output that the graph does not have.
    #[error("the graph has no output `{wanted}`, it has {}", .found.join(", "))]
    NoOutput {
        /// Name of the requested output.
        wanted: String,
        /// Outputs of the graph.
        found: Vec<String>,
    },
    /// Several outputs, and no requested one.
    #[error("the graph has {} outputs ({}): choose one with `--output`", .found.len(), .found.join(", "))]
    Outputs {
        /// Outputs of the graph.
        found: Vec<String>,
    },
    /// A parameter of a batch normalisation, or a bias, whose length differs from the channels of the convolution.
    #[error(
        "node `{node}`: `{tensor}` has {found} values, the convolution before it has {channels} channels"
    )]
    Channels {
        /// The batch normalisation, or the convolution with the bias.
        node: String,
        /// Its parameter.
        tensor: String,
        /// Length of the parameter.
        found: usize,
        /// Output channels of the convolution.
        channels: usize,
    },
    /// A batch normalisation with a negative variance.
    #[error("node `{node}`: the variance of channel {channel} is {value}")]
    Variance {
        /// The batch normalisation.
        node: String,
        /// The channel.
        channel: usize,
        /// The variance.
        value: f32,
    },
    /// A weight or bias that overflows f32 after folding.
    #[error("node `{node}`: folded into `{tensor}`, channel {channel} is not finite")]
    Overflow {
        /// The folded node.
        node: String,
        /// The weight or bias.
        tensor: String,
        /// The channel.
        channel: usize,
    },
    /// Invalid structure inside functions or branches.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A constant that cannot be read.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// Invalid inputs, outputs or initializers of the model.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}
