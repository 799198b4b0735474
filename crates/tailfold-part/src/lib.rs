//! Partial results of a sharded run, and checks that no part is missing.
//!
//! Internal to tailfold, no stability promise.
//!
//! [`Shard`](tailfold_spec::Shard) splits a run over a set of images. Each shard writes one [`Part`]: a safetensors
//! file with the run's settings in its header and the per-image results in its tensors. [`Parts`] puts the results
//! back into the order of the images; parts that do not form one complete run are an error.

mod error;
mod hashes;
mod kind;
mod part;
mod parts;
mod tensor;

pub use error::{PartError, PartErrorKind};
pub use hashes::{labels_sha256, names_sha256};
pub use kind::Kind;
pub use part::Part;
pub use parts::Parts;
pub use tensor::{Element, Tensor, Values};
