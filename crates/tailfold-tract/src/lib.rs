//! Runs ONNX classifiers through tract on small CPUs, with quantized regions as programs of integer kernels,
//! and observes intermediate tensors.
//!
//! Internal to tailfold, no stability promise.

mod blame;
mod boundary;
mod classifier;
mod depthwise;
mod error;
mod observer;
mod operator;
mod parse;
mod shapes;
mod vectors;

pub use classifier::TractClassifier;
pub use error::{TractError, TractErrorKind};
pub use observer::TensorObserver;
pub use shapes::shapes;
pub use vectors::{Loop, vectorized};
