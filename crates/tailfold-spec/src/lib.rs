//! The formats and traits shared by training, export and the runtimes.
//!
//! Internal to tailfold, no stability promise.
//!
//! This crate has no ML dependency, so a firmware author can read it alone.

mod architecture;
pub mod artifact;
mod card;
mod classifier;
mod error_type;
mod groups;
mod manifest;
mod mean;
mod offsets;
mod outputs;
mod preprocess;
mod prior_file;
mod repeated;
mod score_kind;
mod shard;
mod tensors;

pub use architecture::{
    Activation, Architecture, ArchitectureError, Block, Body, ConvNorm, Fan, Head, MaxPool,
    NetworkKind, Plan, Shortcut,
};
pub use card::{CardError, CardParts, ModelCard, QuantizationRecord};
pub use classifier::{
    Classifier, FakeClassifier, ImageBatch, Logits, RunError, ShapeError, softmax,
};
pub use groups::{ClassGroups, Group};
pub use manifest::{Manifest, ManifestError, RunFiles};
pub use mean::Mean;
pub use offsets::{Apply, AtExport, OffsetsError, OffsetsRecord, Prior};
pub use outputs::{NamedFile, OutputCheck, OutputError, same_file};
pub use preprocess::{Filter, Preprocess, PreprocessError, Resize};
pub use prior_file::{PriorError, PriorErrorKind};
pub use repeated::repeated_names;
pub use score_kind::ScoreKind;
pub use shard::{Shard, ShardError};
pub use tensors::{NamedTensors, Tensors, TensorsError};
