//! Runs ONNX classifiers through tract: the deployed half on small CPUs, quantized regions as programs of integer kernels,
//! and the observer of intermediate tensors.

mod classifier;
mod error;
mod observer;
mod operator;

pub use classifier::TractClassifier;
pub use error::TractError;
pub use observer::TensorObserver;
