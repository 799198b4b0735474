//! The training configuration: one TOML file a run, every key checked.

mod check;
mod images;
mod loss;
mod network;
mod offsets;
mod optimizer;
mod views;

use serde::{Deserialize, Serialize};

pub use check::ConfigError;
pub use images::ImagesConfig;
pub use loss::{ContrastiveConfig, LossKind};
pub use network::NetworkConfig;
pub use offsets::{OffsetConfig, SourceMeasure, TargetMeasure};
pub use optimizer::{OptimizerConfig, ScheduleConfig};
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
