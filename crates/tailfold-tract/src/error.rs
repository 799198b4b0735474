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
