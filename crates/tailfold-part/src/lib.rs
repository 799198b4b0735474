//! Partial results of a run in shards, and the checks that all of them are there.
//!
//! Internal to tailfold, no stability promise.
//!
//! A run over a set of images is shared out by [`Shard`](tailfold_spec::Shard). Each share leaves one [`Part`], a
//! safetensors file with what was asked for in its header and numbers of single images in its tensors. [`Parts`] puts them
//! in the images' order again, or says what keeps them from being the parts of one run.

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
