//! The error of a training run.

use tailfold_data::DataError;
use tailfold_sdot::SolveError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ArchitectureError, OffsetsError, PreprocessError, PriorError, TensorsError};

/// Kind of a training error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainErrorKind {
    /// A key or a value of the configuration is unknown, out of range, or has no effect.
    Config,
    /// The images cannot be read or prepared, or do not fit the network, the loss or the training images.
    Images,
    /// The tensors of a file do not fit the network, or a weight is NaN or infinite.
    Weights,
    /// The offsets have no target masses, or no solution.
    Offsets,
    /// The loss is NaN or infinite.
    Diverged,
    /// The saved state is damaged or belongs to another run, or the run is finished.
    Resume,
    /// The build has no such back end.
    NotBuilt,
    /// A library that the back end loads is not installed.
    NotInstalled,
    /// The back end finds no GPU.
    NoGpu,
    /// The back end failed in a computation.
    Device,
    /// A file cannot be read or written.
    File,
}

tailfold_spec::error_type! {
    /// An error that prevents a run from starting or finishing.
    pub struct TrainError(TrainErrorKind);
    ArchitectureError => Config,
    DataError => Images,
    TensorsError => Weights,
    OffsetsError => Offsets,
    ArtifactError => File,
}

/// Adds conversions for errors whose own message does not say which operation failed.
macro_rules! with_message {
    ($($cause:ty => $kind:ident, $message:literal;)*) => {$(
        impl From<$cause> for TrainError {
            fn from(cause: $cause) -> Self {
                TrainErrorKind::$kind.error($message).caused_by(cause)
            }
        }
    )*};
}

with_message! {
    PreprocessError => Config, "normalisation";
    PriorError => Offsets, "offsets.target";
    SolveError => Offsets, "the offsets could not be solved";
    safetensors::SafeTensorError => File, "a tensor file could not be made";
    serde_json::Error => File, "a JSON file could not be made";
    csv::Error => File, "a CSV file could not be made";
}
