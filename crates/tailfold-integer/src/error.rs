//! What is wrong with a quantized graph.

use tailfold_kernels::{KernelError, ProgramError};
use tailfold_onnx::OnnxError;
use tailfold_onnx::proto::NodeProto;

/// Kind of an error of the integer programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntegerErrorKind {
    /// The file is damaged, or a constant of it cannot be read.
    Model,
    /// A scale or a zero point is unsound, or their number does not fit the tensor.
    Params,
    /// The quantized values do not have 8 bits, or one scale is for a block of them.
    Unsupported,
    /// The sizes of a node do not fit each other, or are out of their range.
    Shape,
    /// The numbers of a layer have no exact integer kernel.
    Layer,
    /// A part of the graph has no integer kernel.
    NotWhole,
    /// The system has no threads left.
    Threads,
    /// This machine does not have the requested instruction set.
    Isa,
}

tailfold_spec::error_type! {
    /// A quantized graph that breaks ONNX's rules, or that integers cannot compute.
    pub struct IntegerError(IntegerErrorKind);
    OnnxError => Model,
    ProgramError => Layer,
}

impl IntegerError {
    /// An unsound scale or zero point of `node`.
    pub(crate) fn params(node: &NodeProto, error: &KernelError) -> Self {
        IntegerErrorKind::Params
            .error(error.to_string())
            .at(place(node))
    }

    /// A number of `what` (scales, zero points, biases) of `node` that does not fit its tensor.
    pub(crate) fn length(node: &NodeProto, what: &str, found: usize, expected: usize) -> Self {
        let node = place(node);
        IntegerErrorKind::Params.error(format!("{node} has {found} {what}, expected {expected}"))
    }

    /// Quantized values of `node` that do not have 8 bits.
    pub(crate) fn not_8_bits(node: &NodeProto, found: &str) -> Self {
        let node = place(node);
        IntegerErrorKind::Unsupported.error(format!(
            "{node} has codes of type {found}; 8-bit integers are supported"
        ))
    }

    /// Sizes of `node` that do not fit each other.
    pub(crate) fn shape(node: &NodeProto, text: String) -> Self {
        IntegerErrorKind::Shape.error(text).at(place(node))
    }
}

fn place(node: &NodeProto) -> String {
    format!("node `{}`", node.label())
}
