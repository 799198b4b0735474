//! What is wrong with a quantized graph.

use tailfold_kernels::{KernelError, ProgramError};
use tailfold_onnx::OnnxError;

/// A quantized graph that breaks ONNX's rules, or that integers cannot compute.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntegerError {
    /// Scales or zero points of a node.
    #[error("node `{node}`: {error}")]
    Params {
        /// The QuantizeLinear or DequantizeLinear node.
        node: String,
        /// What is wrong.
        error: KernelError,
    },
    /// A type of codes that is not 8 bits wide.
    #[error("node `{node}` has codes of type {found}; 8-bit integers are supported")]
    Type {
        /// The node.
        node: String,
        /// The type.
        found: String,
    },
    /// One scale for a block of values.
    #[error(
        "node `{node}` has one scale for {block} values; one a tensor or one a channel is supported"
    )]
    Blocked {
        /// The node.
        node: String,
        /// `block_size`.
        block: i64,
    },
    /// Scales, zero points or biases of the wrong number.
    #[error("node `{node}` has {found} {what}, expected {expected}")]
    Length {
        /// The node.
        node: String,
        /// `scales`, `zero points`, ...
        what: &'static str,
        /// What there is.
        found: usize,
        /// What the shape asks for.
        expected: usize,
    },
    /// Sizes that do not fit each other.
    #[error("node `{node}`: {text}")]
    Shape {
        /// The node.
        node: String,
        /// What does not fit.
        text: String,
    },
    /// A layer whose numbers have no exact integer kernel.
    #[error(transparent)]
    Layer(#[from] ProgramError),
    /// The file.
    #[error(transparent)]
    Model(#[from] OnnxError),
    /// A part of the graph has no integer kernel.
    #[error(
        "the model does not run with integers alone, from an image to a row of logits: {count} nodes have no kernel ({nodes})"
    )]
    NotWhole {
        /// Nodes that are left.
        count: usize,
        /// Their names.
        nodes: String,
    },
    /// No threads.
    #[error(transparent)]
    Threads(KernelError),
    /// No such vector unit.
    #[error(transparent)]
    Isa(KernelError),
}
