//! Why a model cannot be had, or an image not be classified.

use tailfold_data::DataError;
use tailfold_integer::IntegerError;
use tailfold_onnx::{DescriptionError, OnnxError, OpenError};
use tailfold_spec::{RunError, ShapeError, artifact::ArtifactError};

/// Why a model cannot be had, or an image not be classified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file is no ONNX model, or its metadata is unusable.
    #[error("{name}")]
    Onnx {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: OnnxError,
    },
    /// A model that no back end should be given, or that is no classifier.
    #[error("{name}")]
    Open {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: Box<OpenError>,
    },
    /// A model of which too little is known, or of which two things are said.
    #[error("{name}")]
    Description {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: Box<DescriptionError>,
    },
    /// Class names that do not fit the network.
    #[error("{name}: {named} classes are named but the network has {outputs} outputs")]
    Classes {
        /// The file.
        name: String,
        /// Names.
        named: usize,
        /// Outputs.
        outputs: usize,
    },
    /// A preparation that does not fit the network.
    #[error("{name}: images are prepared as {told:?} but the network takes {found:?}")]
    Input {
        /// The file.
        name: String,
        /// Of the metadata: channels, height, width.
        told: [usize; 3],
        /// Of the network.
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
    /// Values that do not fill a batch.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The back end did not answer.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An answer that is none.
    #[error("the model's logit of class {class} is not a number")]
    NotFinite {
        /// The class.
        class: usize,
    },
}

impl RuntimeError {
    /// Whether the back end is what lacks, and not the model: it was left out of this program, its library or its device is not
    /// here, or it is no back end for models of this kind.
    ///
    /// A library that was found and cannot be used is none of it: that is to be mended, not to be gone without.
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
