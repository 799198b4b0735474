//! Errors of loading a model and of classifying an image.

use tailfold_data::DataError;
use tailfold_integer::IntegerError;
use tailfold_onnx::OnnxError;
use tailfold_spec::{RunError, ShapeError, artifact::ArtifactError};

/// An error of loading a model or of classifying an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file is not an ONNX model, or its metadata is unusable.
    #[error("{name}")]
    Onnx {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: OnnxError,
    },
    /// A model is unsound, lacks its external data, or is not an image classifier.
    #[error("{name}")]
    Open {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: Box<OnnxError>,
    },
    /// A model's class names, training counts or preprocessing are missing, contradictory or unusable.
    #[error("{name}")]
    Description {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: Box<OnnxError>,
    },
    /// The number of class names is not the number of the network's outputs.
    #[error("{name}: {named} classes are named but the network has {outputs} outputs")]
    Classes {
        /// The file.
        name: String,
        /// Names.
        named: usize,
        /// Outputs.
        outputs: usize,
    },
    /// The preprocessing makes images of another shape than the network's input.
    #[error("{name}: images are prepared as {told:?} but the network takes {found:?}")]
    Input {
        /// The file.
        name: String,
        /// Of the preprocessing: channels, height, width.
        told: [usize; 3],
        /// Of the network: channels, height, width.
        found: [usize; 3],
    },
    /// A back end that was left out when this program was built.
    #[error(
        "this program was built without the back end `{backend}`: build it with the feature `{feature}`"
    )]
    NotBuilt {
        /// Its name.
        backend: &'static str,
        /// Of the package.
        feature: &'static str,
    },
    /// The integer kernels cannot run a model.
    #[error("{name}")]
    Integer {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: IntegerError,
    },
    /// tract cannot run a model.
    #[cfg(feature = "tract")]
    #[error(transparent)]
    Tract(#[from] tailfold_tract::TractError),
    /// ONNX Runtime cannot run a model, or is not there.
    #[cfg(feature = "ort")]
    #[error(transparent)]
    Ort(#[from] tailfold_ort::OrtError),
    /// An image that cannot be read or prepared.
    #[error(transparent)]
    Image(#[from] DataError),
    /// An image of a data set that cannot be prepared.
    #[error("{image}")]
    ImageOf {
        /// Where the image comes from.
        image: String,
        /// Why.
        #[source]
        source: DataError,
    },
    /// A data set with other classes than the model's.
    #[error("{0}")]
    OtherClasses(String),
    /// Values that do not fill a batch.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The back end did not answer.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A logit is NaN or infinite.
    #[error("the model's logit of class {class} is not a number")]
    NotFinite {
        /// The class.
        class: usize,
    },
}

impl RuntimeError {
    /// Whether the back end is missing, rather than the model unusable: the program was built without it, its library
    /// or device is absent, or it does not run models of this kind.
    ///
    /// False for a library that was found but cannot be used: the user has to repair it.
    pub fn lacks_backend(&self) -> bool {
        match self {
            Self::NotBuilt { .. } => true,
            Self::Integer { source, .. } => matches!(source, IntegerError::NotWhole { .. }),
            #[cfg(feature = "ort")]
            Self::Ort(error) => error.lacks_backend(),
            _ => false,
        }
    }
}
