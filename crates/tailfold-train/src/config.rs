//! The training configuration: one TOML file per run, every key checked.

mod check;
mod compare;
mod contrastive;
mod ensure;
mod images;
mod keys;
mod loss;
mod network;
mod offsets;
mod optimizer;
mod overrides;
mod precision;
mod suggest;
mod views;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use check::data_spec;
pub use contrastive::{ContrastiveConfig, ContrastiveKind};
pub use images::ImagesConfig;
pub use keys::{keys_json_schema, keys_markdown};
pub use loss::{FocalConfig, LdamConfig, LogitAdjustmentConfig, LossKind};
pub use network::NetworkConfig;
pub use offsets::{OffsetConfig, OffsetSolver, SourceMeasure, TargetMeasure};
pub use optimizer::{Decay, OptimizerConfig, ScheduleConfig};
pub use precision::Precision;
pub use views::ViewsConfig;

/// Mean and standard deviation of the pixels, for the normalisation of the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalisationConfig {
    /// Mean of each channel, on the scale from 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, on the same scale.
    pub std: Vec<f32>,
}

fn default_checkpoint_minutes() -> f64 {
    10.0
}

/// Keys of the whole run. They stand at the top of the file, before the first table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Name of the run and of the exported model.
    pub name: String,
    /// Training data, as a data spec.
    pub data: String,
    /// Validation data, as a data spec. When absent, no accuracy is reported during training.
    #[serde(default)]
    pub validation: Option<String>,
    /// Seed of the initial weights, of the order of the images and of the augmentation.
    #[serde(default)]
    pub seed: u64,
    /// Passes over the training data.
    pub epochs: usize,
    /// Images per step. Each image counts once, also when it has several views.
    pub batch: usize,
    /// Largest number of images that go through the network together; the whole batch when absent. It bounds the memory
    /// and keeps the step: the gradients of the parts of a batch are summed, each weighted by its share of the images.
    /// Batch normalisation, the contrastive loss and the weighted mean of LDAM's deferred re-weighting see one part only.
    #[serde(default)]
    pub micro_batch: Option<usize>,
    /// Number type of the activations during training.
    #[serde(default)]
    pub precision: Precision,
    /// Minutes between saved states within an epoch; 0 saves after each step. The value changes no result.
    #[serde(default = "default_checkpoint_minutes")]
    pub checkpoint_minutes: f64,
    /// Loss of the classifier.
    pub loss: LossKind,
    /// Network to train.
    pub network: NetworkConfig,
    /// Optimizer: stochastic gradient descent.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Resizing of the images, and their cache.
    #[serde(default)]
    pub images: ImagesConfig,
    /// Augmented views of each image.
    #[serde(default)]
    pub views: ViewsConfig,
    /// Parameters of the focal loss; allowed only with `loss = "focal"`.
    #[serde(default)]
    pub focal: Option<FocalConfig>,
    /// Parameters of LDAM; allowed only with `loss = "ldam"`.
    #[serde(default)]
    pub ldam: Option<LdamConfig>,
    /// Parameters of logit adjustment; allowed only with `loss = "logit-adjustment"`.
    #[serde(default)]
    pub logit_adjustment: Option<LogitAdjustmentConfig>,
    /// Contrastive loss, added to the loss of the classifier; none when absent.
    #[serde(default)]
    pub contrastive: Option<ContrastiveConfig>,
    /// Class offsets from optimal transport; required by `loss = "sdot"`, not allowed with any other loss.
    #[serde(default)]
    pub offsets: Option<OffsetConfig>,
    /// Pixel statistics; measured on the training images when absent.
    #[serde(default)]
    pub normalisation: Option<NormalisationConfig>,
}
