//! Classifiers on ONNX Runtime, whose library is found at run time: on the CPU, or on an NVIDIA GPU through CUDA, TensorRT
//! or TensorRT for RTX.
//!
//! Internal to tailfold, no stability promise.
//!
//! What is asked for runs, or an error says what is missing: ONNX Runtime itself puts a provider's nodes on the CPU when
//! the provider cannot be loaded, and says nothing. Here a provider must register, no node may fall back, and
//! [`OrtClassifier::placements`] tells what runs each node.
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
