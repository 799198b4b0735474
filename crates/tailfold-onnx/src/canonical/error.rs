//! Why a graph has no common form.

use crate::{CheckError, OnnxError, TensorError};

/// A model that cannot be brought into the common form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Operators of a version whose meaning is not known here.
    #[error("the model uses version {found} of the standard operators, expected {first} to {last}")]
    Opset {
        /// The model's.
        found: i64,
        /// Oldest known.
        first: i64,
        /// Newest known.
        last: i64,
    },
    /// An operator that no version from 13 on has.
    #[error(
        "node `{node}`: {operator} left the standard operators; export the model with version 13 or later"
    )]
    Removed {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A branch or a loop whose way depends on more than constants.
    #[error("node `{node}`: {operator} with a condition that is not a constant is not supported")]
    Branch {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A node that trains.
    #[error(
        "node `{node}`: {operator} is in training_mode: its answer depends on the batch or on chance; export the model in evaluation mode"
    )]
    Training {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A constant that would not fit into memory.
    #[error("node `{node}`: {operator} makes more than {limit} elements")]
    TooLarge {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// Most elements.
        limit: usize,
    },
    /// Functions that cannot be inlined.
    #[error("the model's own functions {0}")]
    Functions(&'static str),
    /// A Constant in a form other than numbers.
    #[error("the constant `{0}` is no tensor of numbers")]
    Constant(String),
    /// An output that the graph does not have.
    #[error("the graph has no output `{wanted}`, it has {}", .found.join(", "))]
    NoOutput {
        /// Asked for.
        wanted: String,
        /// The graph's.
        found: Vec<String>,
    },
    /// Several outputs and no choice.
    #[error("the graph has {} outputs ({}): choose one with `--output`", .found.len(), .found.join(", "))]
    Outputs {
        /// The graph's.
        found: Vec<String>,
    },
    /// A batch normalisation that does not fit the convolution before it.
    #[error(
        "node `{node}`: `{tensor}` has {found} values, the convolution before it has {channels} channels"
    )]
    Channels {
        /// The batch normalisation.
        node: String,
        /// Its constant.
        tensor: String,
        /// Length of the constant.
        found: usize,
        /// Output channels of the convolution.
        channels: usize,
    },
    /// A batch normalisation with an impossible variance.
    #[error("node `{node}`: the variance of channel {channel} is {value}")]
    Variance {
        /// The batch normalisation.
        node: String,
        /// The channel.
        channel: usize,
        /// The variance.
        value: f32,
    },
    /// Values that f32 cannot hold after they were multiplied.
    #[error("node `{node}`: folded into `{tensor}`, channel {channel} is not finite")]
    Overflow {
        /// The node whose constants were folded.
        node: String,
        /// The weight or bias.
        tensor: String,
        /// The channel.
        channel: usize,
    },
    /// The structure of functions or branches.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A constant that cannot be read.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The model's ports or constants.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}
