//! Errors of loading and running a model with tract.

use tailfold_integer::IntegerError;

/// Kind of a tract error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TractErrorKind {
    /// tract cannot load the file, or the model is unsound.
    Model,
    /// The model has an operator or an element type that tract does not have.
    Unsupported,
    /// A tensor has more elements than the limit, [`tailfold_onnx::MOST_ELEMENTS`].
    Limit,
    /// tract panics while it prepares the model.
    Panic,
    /// The model is not an image classifier.
    Shape,
    /// A tensor to observe is not in the graph.
    NoTensor,
    /// The quantized part of the graph violates the ONNX specification, or has no exact integer kernel.
    Quantized,
    /// tract failed on an image.
    Run,
}

tailfold_spec::error_type! {
    /// A model that tract cannot run; the text names the file and the node.
    pub struct TractError(TractErrorKind);
}

impl TractError {
    /// Returns the error of the file `name` whose quantized part has the error `cause`.
    pub(crate) fn quantized(name: &str, cause: impl Into<IntegerError>) -> Self {
        Self::of(TractErrorKind::Quantized, cause.into()).at(name)
    }
}

/// Returns tract's chain of causes on one line.
pub(crate) fn chain(error: &tract_onnx::prelude::TractError) -> String {
    format!("{error:#}").replace('\n', " ")
}
