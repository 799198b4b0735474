//! Inference graphs as ONNX: built from a checkpoint, offsets folded into the head, read, written, checked and dumped.
//!
//! A file passes through [`Model`]; [`build()`] makes one, [`fold_offsets`] completes it, [`check()`] says whether its
//! structure is sound and within the operators that tailfold knows, [`text()`] shows it.

mod builder;
mod canonical;
mod check;
mod checkpoint;
mod error;
mod eval;
mod external;
mod fold;
mod graph;
mod head;
mod layers;
mod limits;
mod model;
mod network;
mod node;
mod norm;
mod open;
pub mod proto;
mod simplify;
mod tensor;
mod text;
mod wires;

/// Shape of each tensor for one image, by its ONNX name, as a runtime's shape inference tells it.
pub type Shapes = std::collections::BTreeMap<String, Vec<usize>>;

#[cfg(test)]
mod fixture;

pub use canonical::{CanonicalError, canonical};
pub use check::{CheckError, check, check_structure};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::OnnxError;
pub use external::{ExternalError, load_external};
pub use fold::{FoldError, fold_offsets};
pub use limits::{MOST_ELEMENTS, MOST_NODES};
pub use model::Model;
pub use network::build;
pub use open::{
    Description, DescriptionError, InputPort, Layout, OpenError, OpenOptions, Opened, OutputPort,
    Ports, folder_of, open,
};
pub use simplify::simplify;
pub use tensor::{Element, TensorError};
pub use text::text;
