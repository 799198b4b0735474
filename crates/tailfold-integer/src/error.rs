//! Errors of a quantized graph.

use tailfold_kernels::{KernelError, ProgramError};
use tailfold_onnx::OnnxError;
use tailfold_onnx::proto::NodeProto;

/// Kind of an error of the integer programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntegerErrorKind {
    /// The file is damaged, or a constant of it cannot be read.
    Model,
    /// A scale or a zero point is invalid, or their number does not match the tensor.
    Params,
    /// The quantized values do not have 8 bits, or scales are per block.
    Unsupported,
    /// The sizes of a node do not match each other, or are out of range.
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
    /// A quantized graph that violates the ONNX specification, or that integer kernels cannot compute.
    pub struct IntegerError(IntegerErrorKind);
    OnnxError => Model,
    ProgramError => Layer,
}

impl IntegerError {
    /// Returns the error of an invalid scale or zero point of `node`.
    pub(crate) fn params(node: &NodeProto, error: &KernelError) -> Self {
        IntegerErrorKind::Params
            .error(error.to_string())
            .at(place(node))
    }

    /// Returns the error of `node` whose number of scales, zero points or biases, named by `kind`, does not
    /// match its tensor.
    pub(crate) fn length(node: &NodeProto, kind: &str, found: usize, expected: usize) -> Self {
        let node = place(node);
        IntegerErrorKind::Params.error(format!("{node} has {found} {kind}, expected {expected}"))
    }

    /// Returns the error of `node` whose quantized values do not have 8 bits.
    pub(crate) fn not_8_bits(node: &NodeProto, found: &str) -> Self {
        let node = place(node);
        IntegerErrorKind::Unsupported.error(format!(
            "{node} has codes of type {found}; 8-bit integers are supported"
        ))
    }

    /// Returns the error of `node` whose sizes do not match each other.
    pub(crate) fn shape(node: &NodeProto, text: String) -> Self {
        IntegerErrorKind::Shape.error(text).at(place(node))
    }
}

fn place(node: &NodeProto) -> String {
    format!("node `{}`", node.label())
}
