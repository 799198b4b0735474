//! The error of [`crate::check()`].

use crate::TensorError;

/// A graph with an invalid structure.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum CheckError {
    /// A model without the opset version of the standard operators.
    #[error("the model does not say which version of the standard operators it uses")]
    NoOpset,
    /// An input, initializer or node output without a name.
    #[error("{0} has no name")]
    Unnamed(String),
    /// A value with two definitions.
    #[error("the value `{0}` is defined twice")]
    DuplicateValue(String),
    /// Two nodes with the same name.
    #[error("two nodes are called `{0}`")]
    DuplicateNode(String),
    /// An output that is listed twice.
    #[error("the graph lists the output `{0}` twice")]
    DuplicateOutput(String),
    /// A value that is read before its definition, or that has no definition.
    #[error("{user} uses `{value}` before it is defined")]
    Undefined {
        /// The node that reads the value, or the graph's output.
        user: String,
        /// Name of the value.
        value: String,
    },
    /// An IR version (version of the ONNX format) newer than the newest supported one.
    #[error("the file has version {found} of the ONNX format, the newest known is {newest}")]
    Format {
        /// IR version of the file.
        found: i64,
        /// Newest supported IR version.
        newest: i64,
    },
    /// More nodes than the limit.
    #[error("the graph has {found} nodes, expected at most {most}")]
    Nodes {
        /// Nodes of the graph.
        found: usize,
        /// Largest supported number of nodes.
        most: usize,
    },
    /// More initializers or declared values than the limit.
    #[error("the graph has {found} {what}, expected at most {most}")]
    Values {
        /// Initializers or declared values.
        what: &'static str,
        /// Number in the graph.
        found: usize,
        /// Largest supported number.
        most: usize,
    },
    /// A kernel, stride, dilation or padding outside the supported range.
    #[error("node `{node}`: {attribute} is {found:?}, expected {expected}")]
    Window {
        /// Name of the node.
        node: String,
        /// Name of the attribute.
        attribute: &'static str,
        /// Values of the attribute.
        found: Vec<i64>,
        /// Supported number and range of values.
        expected: String,
    },
    /// A node with too few or too many inputs.
    #[error("node `{node}` ({operator}) has {found} inputs, expected {}", expected(*.least, *.most))]
    Inputs {
        /// Name of the node.
        node: String,
        /// The operator.
        operator: &'static str,
        /// Number of inputs, up to the last one given.
        found: usize,
        /// Smallest number of inputs of the operator.
        least: usize,
        /// Largest number of inputs of the operator.
        most: usize,
    },
    /// A node with more inputs than the limit.
    #[error("node `{node}` ({operator}) has {found} inputs, expected at most {most}")]
    ManyInputs {
        /// Name of the node.
        node: String,
        /// The operator.
        operator: String,
        /// Number of inputs.
        found: usize,
        /// Largest supported number of inputs.
        most: usize,
    },
    /// A sparse initializer, which runtimes on devices do not read.
    #[error("the initializer `{0}` is sparse, which is not supported")]
    Sparse(String),
    /// An initializer whose values do not fill its shape.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A constant that is NaN, or a weight that is infinite.
    #[error("the initializer `{tensor}` has {value} at index {index}")]
    NotFinite {
        /// Name of the initializer.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
}

fn expected(least: usize, most: usize) -> String {
    match most {
        usize::MAX => format!("{least} or more"),
        _ if least == most => least.to_string(),
        _ => format!("{least} to {most}"),
    }
}
