//! The error of opening a model, classifying an image or comparing logits.

use tailfold_data::DataError;
use tailfold_integer::{IntegerError, IntegerErrorKind};
use tailfold_onnx::OnnxError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ManifestError, RunError, ShapeError, TensorsError};

/// Kind of a runtime error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeErrorKind {
    /// A file or a run folder cannot be read.
    File,
    /// The model is not an image classifier, or its metadata is missing, contradictory or unusable.
    Model,
    /// The back end was left out when this program was built.
    NotBuilt,
    /// The back end cannot run the model.
    Unsupported,
    /// ONNX Runtime is absent, or cannot run the model.
    OnnxRuntime,
    /// An image cannot be read or prepared.
    Image,
    /// The data set has other classes than the model.
    Classes,
    /// The back end failed to run the model.
    Run,
    /// A logit is NaN or infinite.
    NotFinite,
    /// The expected logits are missing or belong to another model.
    Verify,
}

tailfold_spec::error_type! {
    /// An error of opening a model, classifying an image or comparing logits; the text names the file or the image.
    pub struct RuntimeError(RuntimeErrorKind);
    ArtifactError => File,
    ManifestError => File,
    TensorsError => File,
    #[cfg(feature = "tract")]
    tailfold_tract::TractError => Unsupported,
    #[cfg(feature = "ort")]
    tailfold_ort::OrtError => OnnxRuntime,
    DataError => Image,
    ShapeError => Run,
    RunError => Run,
}

impl RuntimeError {
    /// Returns `cause` as the error of the model `name`. The text has the name once, even if `cause` already starts
    /// with it.
    pub(crate) fn of_model(name: &str, cause: OnnxError) -> Self {
        let has_name = cause.to_string().starts_with(name);
        let error = Self::of(RuntimeErrorKind::Model, cause);
        if has_name { error } else { error.at(name) }
    }

    /// Whether the back end is missing, rather than the model unusable: the program was built without it, its library
    /// or device is absent, or it does not run models of this kind.
    ///
    /// False for a library that was found but cannot be used: the user has to repair it.
    pub fn lacks_backend(&self) -> bool {
        let Some(cause) = self.cause() else {
            return self.kind == RuntimeErrorKind::NotBuilt;
        };
        #[cfg(feature = "ort")]
        if let Some(error) = cause.downcast_ref::<tailfold_ort::OrtError>() {
            return error.lacks_backend();
        }
        let cause: Option<&IntegerError> = cause.downcast_ref();
        cause.is_some_and(|error| error.kind() == IntegerErrorKind::NotWhole)
    }
}
