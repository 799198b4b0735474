//! Inference graphs as ONNX: built from a checkpoint, with offsets folded into the head, read, checked, rewritten,
//! written and printed.
//!
//! Internal to tailfold, no stability promise.
//!
//! [`Model`] is an ONNX file in memory. [`build()`] makes one from a checkpoint, [`open()`] loads a third-party
//! classifier in canonical form, [`fold_offsets`] adds the offsets to the head, [`check()`] checks the structure, and
//! [`text()`] prints it.

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
mod last_bias;
mod layers;
mod limits;
mod model;
mod model_files;
mod network;
mod node;
mod norm;
mod open;
pub mod proto;
mod simplify;
mod tensor;
mod text;
mod weights;
mod wires;

/// Shape of each tensor for one image by its ONNX name, from the shape inference of a runtime.
pub type Shapes = std::collections::BTreeMap<String, Vec<usize>>;

#[cfg(test)]
mod fixture;

pub use canonical::canonical;
pub use check::{check, check_structure};
pub use checkpoint::Checkpoint;
pub use error::{OnnxError, OnnxErrorKind};
pub use external::load_external;
pub use fold::{check_foldable, fold_offsets};
pub use last_bias::{LastBias, NoLastBias, add_to_bias, makes_logits};
pub use limits::{MOST_ELEMENTS, MOST_NODES};
pub use model::Model;
pub use model_files::add_model_files;
pub use network::build;
pub use open::{
    Description, InputPort, Layout, OpenOptions, Opened, OutputPort, Ports, folder_of, open,
};
pub use simplify::simplify;
pub use tensor::Element;
pub use text::text;
pub use weights::is_weighted;
