//! Lowers the quantized regions of a standard QDQ graph to programs of integer kernels.
//!
//! Internal to tailfold, no stability promise.
//!
//! The file is a standard ONNX graph with QuantizeLinear and DequantizeLinear around float operators, written
//! by any quantizer. [`lower()`] finds the operators with quantized inputs and outputs (the quantized values
//! are called codes here), and returns integer programs for them and the remaining graph. If no node remains,
//! the program is a classifier ([`IntegerClassifier`]).

mod classifier;
mod draft;
mod error;
mod fusion;
mod graph;
mod lower;
mod params;
mod regions;

pub use classifier::IntegerClassifier;
pub use error::{IntegerError, IntegerErrorKind};
pub use lower::{is_elementwise, lower, window};
pub use regions::{Lowered, NodeKernel, Region};
pub use tailfold_onnx::Shapes;
