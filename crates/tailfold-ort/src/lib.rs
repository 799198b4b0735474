//! Classifiers on ONNX Runtime, whose library is loaded at run time: on the CPU, or on an NVIDIA GPU through
//! CUDA, TensorRT or TensorRT for RTX.
//!
//! Internal to tailfold, no stability promise.
//!
//! A requested provider that is unavailable is an error, and no other provider replaces it. ONNX Runtime itself
//! moves the nodes of a provider that cannot be loaded to the CPU without a message. Here, a provider must
//! register, no node may fall back, and [`OrtClassifier::placements`] returns the provider of each node.
//!
//! Source of the names and options: ONNX Runtime's documentation of execution providers.

mod classifier;
mod engines;
mod error;
mod explain;
mod gpu;
mod graph;
mod library;
mod placement;
mod pool;
mod provider;
mod session;
mod whole;

pub use classifier::OrtClassifier;
pub use engines::{EngineKey, default_folder};
pub use error::{OrtError, OrtErrorKind};
pub use gpu::Gpu;
pub use library::{Library, install_folder};
pub use placement::Placement;
pub use provider::Provider;
pub use session::Setup;
