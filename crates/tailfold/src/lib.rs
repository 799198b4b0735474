//! Image classifiers from ONNX files.
//!
#![doc = include_str!("../README.md")]
//!
//! # Stability
//!
//! [`ImageClassifier`], [`Answer`], [`Guess`], [`Backend`], [`Options`] and [`RuntimeError`] follow semantic versioning. The other
//! items, and methods with one of them in their signature, serve the programs of tailfold: they expose types of internal
//! crates ([`Model`], [`Dataset`], [`ModelCard`] and others), and a minor release may change them.

mod backend;
mod clock;
mod dataset_logits;
mod error;
mod image_classifier;
mod layers;
mod model;
mod model_file;
mod network;
mod options;
mod prepared;
mod verify;

pub use backend::{Backend, UnknownBackend};
pub use dataset_logits::{check_classes, dataset_logits};
pub use error::{RuntimeError, RuntimeErrorKind};
pub use image_classifier::{Answer, Guess, ImageClassifier};
pub use model::{LoadedModel, float_layers};
pub use model_file::{ModelFile, infer_shapes};
pub use network::Network;
pub use options::Options;
pub use prepared::{NodeRun, Prepared};
pub use tailfold_data::{DataSpec, Dataset, Pixels};
pub use tailfold_onnx::{Description, Layout, Model, OpenOptions, Opened, Ports};
#[cfg(feature = "ort")]
pub use tailfold_ort::{OrtError, OrtErrorKind, install_folder as ort_install_folder};
pub use tailfold_spec::{Classifier, ImageBatch, Logits, ModelCard};
pub use verify::{Golden, Verification};

/// Compiles the code of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
