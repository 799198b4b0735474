//! An image classifier from a model file: the file says how images are prepared and what its classes are called, the
//! caller says what computes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::path::Path;
//! use tailfold::{Backend, ImageClassifier, Options};
//!
//! # let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
//! # let model = root.join("models/fashion-lt/fashion-lt.int8.onnx");
//! # let png = tailfold_data::Dataset::open(&"embedded?split=test&limit=1".parse()?)?.image(0)?.to_png()?;
//! let mut classifier = ImageClassifier::open(&model, Backend::Integer, &Options::default())?;
//! let answer = classifier.classify(&png, "a photo", 3)?;
//! assert_eq!(answer.top.len(), 3);
//! assert_eq!(answer.top[0].name, classifier.card().classes[answer.top[0].class]);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Backend`] is a value. One that this build does not have, or whose library is missing here, is an error; another one
//! never takes its place.

mod backend;
mod clock;
mod dataset_logits;
mod error;
mod image_classifier;
mod model;
mod options;
mod prepared;
mod verify;

pub use backend::{Backend, UnknownBackend};
pub use dataset_logits::{check_classes, dataset_logits};
pub use error::{RuntimeError, RuntimeErrorKind};
pub use image_classifier::{Answer, Guess, ImageClassifier};
pub use model::{LoadedModel, Network, float_layers, infer_shapes, open_file};
pub use options::Options;
pub use prepared::{NodeRun, Prepared};
pub use tailfold_onnx::{Description, Layout, OpenOptions, Ports};
#[cfg(feature = "ort")]
pub use tailfold_ort::{OrtError, OrtErrorKind, install_folder as ort_install_folder};
pub use verify::{Golden, Verification};
