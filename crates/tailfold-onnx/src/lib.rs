//! Inference graphs as ONNX: built from a checkpoint, offsets folded into the head, read, written, checked and dumped.
//!
//! A file passes through [`Model`]; [`build()`] makes one, [`fold_offsets`] completes it, [`check()`] says whether its
//! structure is sound and within the operators that tailfold knows, [`text()`] shows it.

mod builder;
mod canonical;
mod check;
mod checkpoint;
mod error;
mod external;
mod fold;
mod graph;
mod head;
mod layers;
mod model;
mod network;
mod node;
mod norm;
pub mod proto;
mod tensor;
mod text;

#[cfg(test)]
mod fixture;

pub use canonical::{CanonicalError, canonical};
pub use check::{CheckError, check, check_structure};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::OnnxError;
pub use external::{ExternalError, load_external};
pub use fold::{FoldError, fold_offsets};
pub use model::Model;
pub use network::build;
pub use tensor::{Element, TensorError};
pub use text::text;
