//! The error of a model that cannot be built, read, opened or changed.

use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ArchitectureError, CardError, PreprocessError, TensorsError};

/// Kind of an error of a model, its file or its checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnnxErrorKind {
    /// A file cannot be read or written.
    File,
    /// A file is not an ONNX file, or is damaged or cut short.
    Damaged,
    /// A file, a graph or a constant is larger than the limit, or needs more time than the loader spends.
    Limit,
    /// The structure of the graph is invalid.
    Structure,
    /// A number is NaN or infinite, or becomes so.
    NotFinite,
    /// The model uses an operator, a version or a form that is not supported.
    Unsupported,
    /// The values of a tensor do not fill its shape.
    Tensor,
    /// A tensor has another element type than needed.
    ElementType,
    /// A tensor in another file cannot be read.
    External,
    /// The input is not an image, or the model has no such input or output.
    Ports,
    /// The model has several outputs, and none was chosen.
    SeveralOutputs,
    /// The metadata is unusable or contradicts the network.
    Metadata,
    /// The model does not name its classes.
    NoClasses,
    /// The model does not say how images are prepared.
    NoPreprocessing,
    /// Mean and standard deviation were given for a graph that normalises the image itself.
    Normalised,
    /// The description by the caller contradicts the model, or cannot be applied.
    Description,
    /// The checkpoint does not have the tensors of the network.
    Checkpoint,
    /// Offsets are folded into the model already.
    AlreadyFolded,
    /// The model is quantized, so its bias is derived from the folded value.
    Quantized,
    /// No bias shifts the logits class by class.
    NoHead,
    /// The offsets are for another number of classes.
    Offsets,
}

tailfold_spec::error_type! {
    /// A model that cannot be built, read, opened or changed; the text names the node, tensor or port.
    pub struct OnnxError(OnnxErrorKind);
    ArtifactError => File,
    ArchitectureError => Checkpoint,
    TensorsError => Checkpoint,
    CardError => Metadata,
    PreprocessError => Description,
}
