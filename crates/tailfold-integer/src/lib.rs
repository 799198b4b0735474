//! Lowers the quantized regions of a standard QDQ graph to programs of integer kernels.
//!
//! The file stays what it is, QuantizeLinear and DequantizeLinear around float operators; [`lower()`] finds the operators
//! whose inputs and outputs are codes, whoever quantized the file, and gives programs for them and the graph that is left. Where nothing is left, the program is a
//! classifier ([`IntegerClassifier`]).

mod classifier;
mod error;
mod fusion;
mod graph;
mod lower;
mod params;
mod regions;

use std::collections::BTreeMap;

pub use classifier::IntegerClassifier;
pub use error::IntegerError;
pub use lower::{Lowered, NodeKernel, Region, is_elementwise, lower, window};

/// The shape of each tensor of a graph for one image, by its ONNX name: `[1, channels, height, width]` for an image, the
/// batch of one included.
///
/// A runtime's shape inference fills it. It may be empty: behind a node that stays with the float runtime, tensors whose
/// shapes it lacks stay float too.
pub type Shapes = BTreeMap<String, Vec<usize>>;
