//! Lowers the quantized regions of a standard QDQ graph to programs of integer kernels.
//!
//! Internal to tailfold, no stability promise.
//!
//! The file stays what it is, QuantizeLinear and DequantizeLinear around float operators; [`lower()`] finds the operators
//! whose inputs and outputs are codes, whoever quantized the file, and gives programs for them and the graph that is left. Where nothing is left, the program is a
//! classifier ([`IntegerClassifier`]).

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
