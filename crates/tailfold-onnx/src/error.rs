//! What can be wrong with a file, or with what a graph is to be built from.

use tailfold_spec::ArchitectureError;
use tailfold_spec::artifact::ArtifactError;

use crate::{CheckpointError, TensorError};

/// A model that cannot be read or built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file cannot be opened or read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// More than the format allows.
    #[error("{name} is larger than {limit} bytes, the limit of an ONNX file")]
    TooLarge {
        /// The file.
        name: String,
        /// [`crate::Model::MAX_BYTES`].
        limit: u64,
    },
    /// Not an ONNX file, or a part of one.
    #[error("{name} is not an ONNX file, or is damaged or cut short")]
    Decode {
        /// The file.
        name: String,
        /// What the decoder found.
        #[source]
        source: prost::DecodeError,
    },
    /// A part that every model has is absent.
    #[error("{name} has no {part}: it is not an ONNX file, or is damaged or cut short")]
    Missing {
        /// The file.
        name: String,
        /// `graph` or `opset_import`.
        part: &'static str,
    },
    /// Not one input, or not one output.
    #[error("the graph has {} {what} ({}), expected one", .found.len(), .found.join(", "))]
    Ports {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// Their names.
        found: Vec<String>,
    },
    /// An input that is no batch of images.
    #[error("input `{name}` has the shape {found}, expected [batch, channels, height, width]")]
    InputShape {
        /// Name of the input.
        name: String,
        /// Its shape, `?` for what is not fixed.
        found: String,
    },
    /// No initializer of this name.
    #[error("the graph has no initializer `{0}`")]
    NoInitializer(String),
    /// An initializer that cannot be read.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A network that cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// Weights that do not fit the network.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A card of another model.
    #[error("the card has {field} {card} but the architecture has {architecture}")]
    Card {
        /// `classes` or `input`.
        field: &'static str,
        /// Value on the card.
        card: String,
        /// Value of the architecture.
        architecture: String,
    },
    /// A card that claims what a newly built graph has not had done to it.
    #[error("the card says that the model is already {0}, but a graph is built without that")]
    CardState(&'static str),
    /// The metadata speak of another number of classes.
    #[error("the metadata names {card} classes but the network has {graph} outputs")]
    CardClasses {
        /// Classes of the card.
        card: usize,
        /// Outputs of the graph.
        graph: usize,
    },
    /// The metadata speak of other images.
    #[error("the metadata prepares images of {card:?} but the network takes {graph}")]
    CardInput {
        /// `[channels, height, width]` of the card.
        card: [usize; 3],
        /// The same of the graph.
        graph: String,
    },
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] tailfold_spec::CardError),
}
