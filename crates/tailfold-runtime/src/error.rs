//! Why a model cannot be had, or an image not be classified.

use tailfold_data::DataError;
use tailfold_integer::IntegerError;
use tailfold_onnx::{CheckError, OnnxError};
use tailfold_spec::{PreprocessError, RunError, ShapeError, artifact::ArtifactError};

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
    /// A model's graph is unsound.
    #[error("{name}")]
    Check {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: CheckError,
    },
    /// A model without metadata, and not all that it would say was given.
    #[error(
        "{name}: the model has no metadata `{missing}`: it was not written by tailfold, so give {flags}"
    )]
    Unprepared {
        /// The file.
        name: String,
        /// Key of the metadata.
        missing: &'static str,
        /// What would say it.
        flags: &'static str,
    },
    /// What was given for a model without metadata makes no sense.
    #[error("{name}")]
    Preparation {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: PreprocessError,
    },
    /// What was given for a model that says it itself.
    #[error("{name} has metadata: --labels, --mean, --std and --short-side are for models without")]
    AlreadyPrepared {
        /// The file.
        name: String,
    },
    /// An input whose size is not fixed.
    #[error("{name}: the size of an image is not fixed: {found:?}")]
    InputShape {
        /// The file.
        name: String,
        /// Of the graph.
        found: [Option<usize>; 4],
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
