//! Why a run could not be finished.

use std::path::PathBuf;

use tailfold_data::DataError;
use tailfold_sdot::SolveError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{Architecture, OffsetsError, PriorError};

use crate::config::ConfigError;
use crate::pretrained::PretrainedError;
use crate::weights::WeightError;

/// A run that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Class counts that make no prior.
    #[error(transparent)]
    Prior(#[from] OffsetsError),
    /// The file of the offsets' target.
    #[error("offsets.target")]
    Target(#[from] PriorError),
    /// A class without images, under a loss that divides by its count.
    #[error("class `{class}` has no training images, which loss `{loss}` cannot do without")]
    NoCount {
        /// The class.
        class: String,
        /// The loss.
        loss: &'static str,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// The transport solver.
    #[error("the offsets could not be solved")]
    Solve(#[from] SolveError),
    /// Weights that are not finite, or do not fit.
    #[error("the network's weights are unusable")]
    Weights(#[from] WeightError),
    /// Weights to start from.
    #[error("the pretrained weights do not fit the network")]
    Pretrained(#[from] PretrainedError),
    /// `precision = "bf16"` on a device without it.
    #[error("this device does not compute in bfloat16: leave `precision` at \"f32\"")]
    NoHalfPrecision,
    /// The loss became NaN or infinite.
    #[error(
        "the loss is {loss} at epoch {epoch}, step {step} (learning rate {learning_rate}); the batch held images {indices:?}"
    )]
    Diverged {
        /// Loss.
        loss: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Step in the epoch, from 1.
        step: usize,
        /// Learning rate.
        learning_rate: f64,
        /// Indices of the batch's images.
        indices: Vec<usize>,
    },
    /// Nothing to train on.
    #[error("{0} has no images")]
    NoImages(String),
    /// Offsets that stayed zero all the time: the run would be plain cross-entropy under another name.
    #[error(
        "the offsets were never solved: the queue of {samples} features never held every one of {classes} classes"
    )]
    NeverSolved {
        /// Length of the queue.
        samples: usize,
        /// Classes.
        classes: usize,
    },
    /// The thread that makes batches went away.
    #[error(
        "epoch {epoch} ended after {done} of {steps} steps: the thread that makes batches stopped"
    )]
    Loader {
        /// Steps done.
        done: usize,
        /// Steps of an epoch.
        steps: usize,
        /// Epoch, from 1.
        epoch: usize,
    },
    /// Images of different sizes without a resize.
    #[error("{id} is {found:?} (channels, height, width) but the first image is {expected:?}")]
    ImageSize {
        /// The image.
        id: String,
        /// Its size.
        found: [usize; 3],
        /// The first image's.
        expected: [usize; 3],
    },
    /// Validation data of other classes.
    #[error("training data has classes {training:?}, validation data {validation:?}")]
    Classes {
        /// Training classes.
        training: Vec<String>,
        /// Validation classes.
        validation: Vec<String>,
    },
    /// A saved state that cannot be used.
    #[error("cannot resume from {}: {why}", path.display())]
    Resume {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A saved state of another network.
    #[error("{} holds {found:?}, but the configuration and the data make {expected:?}", path.display())]
    OtherArchitecture {
        /// The file.
        path: PathBuf,
        /// Its network.
        found: Box<Architecture>,
        /// The run's network.
        expected: Box<Architecture>,
    },
    /// The back end.
    #[error("the back end failed: {0}")]
    Device(String),
    /// A tensor file.
    #[error("a tensor file could not be made")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A JSON file.
    #[error("a JSON file could not be made")]
    Json(#[from] serde_json::Error),
    /// `metrics.csv`.
    #[error("metrics.csv could not be made")]
    Metrics(#[from] csv::Error),
}
