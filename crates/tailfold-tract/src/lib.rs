//! Runs ONNX classifiers through tract: the deployed half on small CPUs, and the observer of intermediate tensors.

mod classifier;
mod error;
mod observer;

pub use classifier::TractClassifier;
pub use error::TractError;
pub use observer::TensorObserver;
