//! The training configuration: one TOML file a run, every key checked.

mod check;
mod compare;
mod contrastive;
mod ensure;
mod images;
mod loss;
mod network;
mod offsets;
mod optimizer;
mod overrides;
mod precision;
mod suggest;
mod views;

use serde::{Deserialize, Serialize};

pub(crate) use check::data_spec;
pub use contrastive::{ContrastiveConfig, ContrastiveKind};
pub use images::ImagesConfig;
pub use loss::{FocalConfig, LdamConfig, LogitAdjustmentConfig, LossKind};
pub use network::NetworkConfig;
pub use offsets::{OffsetConfig, OffsetSolver, SourceMeasure, TargetMeasure};
pub use optimizer::{Decay, OptimizerConfig, ScheduleConfig};
pub use precision::Precision;
pub use views::ViewsConfig;

/// Pixel statistics; measured on the training images when absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalisationConfig {
    /// A value a channel, on the 0..1 scale.
    pub mean: Vec<f32>,
    /// A value a channel, on the 0..1 scale.
    pub std: Vec<f32>,
}

fn default_checkpoint_minutes() -> f64 {
    10.0
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Name of the run and of the exported model.
    pub name: String,
    /// Training data, as a data spec.
    pub data: String,
    /// Validation data, as a data spec; without it no accuracy is reported while training.
    #[serde(default)]
    pub validation: Option<String>,
    /// Seed of weights, order and augmentation.
    #[serde(default)]
    pub seed: u64,
    /// Passes over the training data.
    pub epochs: usize,
    /// Images a step, before views.
    pub batch: usize,
    /// Images that go through the network at a time, at most; absent, the whole batch. Bounds memory, not the step: the
    /// gradients of a batch's parts are summed, each weighted with its share of the images. Batch normalisation,
    /// the contrastive loss and the weighted mean of LDAM's deferred re-weighting see one part only.
    #[serde(default)]
    pub micro_batch: Option<usize>,
    /// Number type of activations while training.
    #[serde(default)]
    pub precision: Precision,
    /// Minutes between saved states within an epoch; 0 saves after each step. Changes no result.
    #[serde(default = "default_checkpoint_minutes")]
    pub checkpoint_minutes: f64,
    /// The loss.
    pub loss: LossKind,
    /// The network.
    pub network: NetworkConfig,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// The learning rate over time.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How images are brought to the network's size, and kept.
    #[serde(default)]
    pub images: ImagesConfig,
    /// The views.
    pub views: ViewsConfig,
    /// Focal loss; the defaults when absent.
    #[serde(default)]
    pub focal: Option<FocalConfig>,
    /// LDAM; the defaults when absent.
    #[serde(default)]
    pub ldam: Option<LdamConfig>,
    /// Logit adjustment; the defaults when absent.
    #[serde(default)]
    pub logit_adjustment: Option<LogitAdjustmentConfig>,
    /// The contrastive loss.
    #[serde(default)]
    pub contrastive: Option<ContrastiveConfig>,
    /// The offsets.
    #[serde(default)]
    pub offsets: Option<OffsetConfig>,
    /// Pixel statistics.
    #[serde(default)]
    pub normalisation: Option<NormalisationConfig>,
}
