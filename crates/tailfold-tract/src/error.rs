//! Why tract did not take or run a model.

/// A model that tract cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TractError {
    /// Not an ONNX file, or an operator that tract does not have.
    #[error("tract cannot load {name}: {message}")]
    Load {
        /// The file, for people.
        name: String,
        /// tract's chain of reasons, outermost first.
        message: String,
    },
    /// An operator that tract does not have.
    #[error(
        "{name}: node `{node}`: tract has no operator {operator}; the back end `ort` may run it"
    )]
    Operator {
        /// The file, for people.
        name: String,
        /// The node.
        node: String,
        /// Its operator, with the domain if it is not a standard one.
        operator: String,
    },
    /// A tensor or Cast in another floating-point type than f32.
    #[error(
        "{name}: `{place}` is in {precision}, which tract does not compute in; the back end `ort` runs such models"
    )]
    Precision {
        /// The file, for people.
        name: String,
        /// Name of the tensor or node.
        place: String,
        /// `half precision (f16)`, ...
        precision: &'static str,
    },
    /// An `axis` attribute outside the rank of the node's first input.
    #[error("{name}: node `{node}`: {operator} along axis {axis} of a value of rank {rank}")]
    Axis {
        /// The file, for people.
        name: String,
        /// The node.
        node: String,
        /// Its operator.
        operator: String,
        /// The axis.
        axis: i64,
        /// Rank of its first input.
        rank: usize,
    },
    /// A tensor with more elements than the limit, [`tailfold_onnx::MOST_ELEMENTS`].
    #[error("{name}: `{tensor}` has the shape {shape:?} for one image, more than {most} elements")]
    TooLarge {
        /// The file, for people.
        name: String,
        /// The tensor.
        tensor: String,
        /// Its shape for one image.
        shape: Vec<usize>,
        /// Largest accepted number of elements.
        most: usize,
    },
    /// A panic inside tract while it prepares the model.
    #[error("{name}: node `{node}`: tract cannot take it: {message}")]
    Panic {
        /// The file, for people.
        name: String,
        /// The first node with which tract panics.
        node: String,
        /// The panic's message.
        message: String,
    },
    /// Not one image input of fixed size and one row of logits.
    #[error("{name} is not an image classifier: {what} is {found}, expected {expected}")]
    Shape {
        /// The file, for people.
        name: String,
        /// `input` or `output`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What a classifier has.
        expected: &'static str,
    },
    /// A tensor to observe is not in the graph.
    #[error("{name} has no tensor `{tensor}`")]
    NoTensor {
        /// The file, for people.
        name: String,
        /// The tensor.
        tensor: String,
    },
    /// The quantized part of the graph breaks ONNX's rules, or has no exact integer kernel.
    #[error("{name}: {source}")]
    Quantized {
        /// The file, for people.
        name: String,
        /// Names the node.
        #[source]
        source: tailfold_integer::IntegerError,
    },
    /// Execution failed.
    #[error("tract failed on {name}: {message}")]
    Run {
        /// The file, for people.
        name: String,
        /// tract's chain of reasons.
        message: String,
    },
}

/// tract's chain of reasons on one line.
pub(crate) fn chain(error: &tract_onnx::prelude::TractError) -> String {
    format!("{error:#}").replace('\n', " ")
}
