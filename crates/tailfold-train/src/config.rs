//! The training configuration: one TOML file a run, every key checked.

mod check;

use serde::{Deserialize, Serialize};
use tailfold_data::AugmentConfig;
use tailfold_spec::{Apply, AtExport, Head, Prior};

pub use check::ConfigError;

/// Which loss trains the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// Cross-entropy: the baseline.
    Ce,
    /// OT-dynamic softmax; needs `[offsets]`.
    Sdot,
}

impl LossKind {
    /// Name in manifests and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ce => "ce",
            Self::Sdot => "sdot",
        }
    }
}

/// The network, without what the data decides (input size and number of classes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// 8, 20, 32, ...
    pub depth: usize,
    /// Channels of the first stage.
    #[serde(default = "default_width")]
    pub width: usize,
    /// Stride of the stem, 1 or 2.
    #[serde(default = "default_stride")]
    pub stem_stride: usize,
    /// The classifier.
    pub head: Head,
}

fn default_width() -> usize {
    16
}

fn default_stride() -> usize {
    1
}

/// Stochastic gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Momentum, without dampening.
    #[serde(default = "default_momentum")]
    pub momentum: f64,
    /// Nesterov's form of momentum.
    #[serde(default)]
    pub nesterov: bool,
    /// L2 penalty on every weight.
    pub weight_decay: f64,
    /// Epochs of linear warm-up.
    #[serde(default)]
    pub warmup_epochs: f64,
}

fn default_momentum() -> f64 {
    0.9
}

/// How the learning rate falls after the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// Half a cosine, to 0.
    #[default]
    Cosine,
    /// Times `gamma` at each milestone, a fraction of the run.
    MultiStep {
        /// Fractions of the run, ascending.
        milestones: Vec<f64>,
        /// Factor.
        gamma: f64,
    },
}

/// Augmented views of each image in a batch; all go through the network together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewsConfig {
    /// Views for the classifier's loss.
    pub classifier: usize,
    /// Views for the contrastive loss alone; with 0 it takes the classifier's.
    #[serde(default)]
    pub contrastive: usize,
    /// Augmentation of the classifier's views.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// Augmentation of the contrastive views.
    #[serde(default)]
    pub contrastive_augment: AugmentConfig,
}

/// Supervised contrastive loss beside the classifier's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastiveConfig {
    /// Weight of the loss.
    pub weight: f64,
    /// Temperature.
    pub temperature: f64,
    /// Hidden units of the projection.
    pub hidden: usize,
    /// Dimension of the projection.
    pub out: usize,
}

/// Source measure of the transport problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceMeasure {
    /// Uniform on the sphere of the feature space whose radius is the mean feature length of the last step (1 under a
    /// cosine head, and before the first step): a cell's mass is its volume.
    #[default]
    Sphere,
    /// Recent training features, each class with the same total mass.
    BalancedFeatures,
    /// Recent training features, as they come.
    Features,
}

impl SourceMeasure {
    /// Name in `offsets.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sphere => "sphere",
            Self::BalancedFeatures => "balanced-features",
            Self::Features => "features",
        }
    }
}

/// Target masses of the transport problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetMeasure {
    /// `1 / C`.
    #[default]
    Uniform,
    /// The training prior.
    Train,
}

impl From<TargetMeasure> for Prior {
    fn from(target: TargetMeasure) -> Self {
        match target {
            TargetMeasure::Uniform => Self::Uniform,
            TargetMeasure::Train => Self::Train,
        }
    }
}

/// The offsets of the OT-dynamic softmax loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetConfig {
    /// Where cell masses are measured.
    #[serde(default)]
    pub source: SourceMeasure,
    /// Which masses the cells shall have.
    #[serde(default)]
    pub target: TargetMeasure,
    /// Sign of the offsets in the loss.
    #[serde(default)]
    pub apply: Apply,
    /// What the exporter folds.
    #[serde(default)]
    pub at_export: AtExport,
    /// Steps between two solutions; they are also refreshed at each epoch.
    #[serde(default = "default_update_every")]
    pub update_every: usize,
    /// Epochs at the start with zero offsets.
    #[serde(default)]
    pub warmup_epochs: usize,
    /// Share of the old offsets kept at an update, `0 <= momentum < 1`.
    #[serde(default)]
    pub momentum: f64,
    /// Points of the source measure: sphere samples, or the length of the feature queue.
    #[serde(default = "default_samples")]
    pub samples: usize,
}

fn default_update_every() -> usize {
    10
}

fn default_samples() -> usize {
    4096
}

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
