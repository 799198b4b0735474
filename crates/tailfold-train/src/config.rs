//! The training configuration: one TOML file a run, every key checked.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tailfold_data::{AugmentConfig, DataSpec};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{Apply, Architecture, ArchitectureError, AtExport, Head, Prior};

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
    /// Uniform on the unit sphere of the feature space: a cell's mass is its volume.
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

/// A configuration that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not TOML, a wrong type, or a key that does not exist.
    #[error("{} is not a training configuration", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why; names the key and the line.
        #[source]
        source: toml::de::Error,
    },
    /// A value out of its range.
    #[error("{key} is {value}, expected {expected}")]
    Value {
        /// The key, dotted.
        key: &'static str,
        /// The value.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// A network that cannot be built.
    #[error(transparent)]
    Network(#[from] ArchitectureError),
}

impl TrainConfig {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file, or the key and what it accepts.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = artifact::read_to_string(path)?;
        let config: Self = toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source,
        })?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`ConfigError::Value`] naming the key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        fn ensure(
            ok: bool,
            key: &'static str,
            value: impl ToString,
            expected: &'static str,
        ) -> Result<(), ConfigError> {
            if ok {
                Ok(())
            } else {
                Err(ConfigError::Value {
                    key,
                    value: value.to_string(),
                    expected,
                })
            }
        }
        let spec = |text: &str| text.parse::<DataSpec>().is_ok();
        ensure(
            spec(&self.data),
            "data",
            &self.data,
            "a data spec such as `embedded` or `cifar10:DIR`",
        )?;
        if let Some(validation) = &self.validation {
            ensure(
                spec(validation),
                "validation",
                validation,
                "a data spec such as `embedded?split=val`",
            )?;
        }
        ensure(!self.name.is_empty(), "name", "empty", "a name")?;
        ensure(
            (1..=100_000).contains(&self.epochs),
            "epochs",
            self.epochs,
            "1 to 100000",
        )?;
        ensure(
            (2..=65_536).contains(&self.batch),
            "batch",
            self.batch,
            "2 to 65536",
        )?;
        let network = &self.network;
        // Stand-ins for what the data decides.
        Architecture {
            depth: network.depth,
            width: network.width,
            stem_stride: network.stem_stride,
            input: [3, 32, 32],
            classes: 2,
            head: network.head,
        }
        .validate()?;
        let o = &self.optimizer;
        ensure(
            o.learning_rate > 0.0 && o.learning_rate <= 100.0,
            "optimizer.learning_rate",
            o.learning_rate,
            "0 to 100",
        )?;
        ensure(
            (0.0..1.0).contains(&o.momentum),
            "optimizer.momentum",
            o.momentum,
            "0 to below 1",
        )?;
        ensure(
            (0.0..1.0).contains(&o.weight_decay),
            "optimizer.weight_decay",
            o.weight_decay,
            "0 to below 1",
        )?;
        ensure(
            o.warmup_epochs >= 0.0,
            "optimizer.warmup_epochs",
            o.warmup_epochs,
            "0 or more",
        )?;
        let v = &self.views;
        ensure(
            (1..=8).contains(&v.classifier),
            "views.classifier",
            v.classifier,
            "1 to 8",
        )?;
        ensure(
            v.contrastive <= 8,
            "views.contrastive",
            v.contrastive,
            "0 to 8",
        )?;
        ensure(
            v.contrastive == 0 || self.contrastive.is_some(),
            "views.contrastive",
            v.contrastive,
            "0 without a [contrastive] table",
        )?;
        if let ScheduleConfig::MultiStep { milestones, gamma } = &self.schedule {
            let ascending = milestones.windows(2).all(|w| w[0] < w[1]);
            let inside = milestones.iter().all(|m| (0.0..1.0).contains(m));
            ensure(
                ascending && inside,
                "schedule.milestones",
                format!("{milestones:?}"),
                "ascending fractions below 1",
            )?;
            ensure(
                *gamma > 0.0 && *gamma <= 1.0,
                "schedule.gamma",
                gamma,
                "above 0, at most 1",
            )?;
        }
        if let Some(c) = &self.contrastive {
            ensure(
                c.weight >= 0.0 && c.weight.is_finite(),
                "contrastive.weight",
                c.weight,
                "0 or more",
            )?;
            ensure(
                c.temperature > 0.0,
                "contrastive.temperature",
                c.temperature,
                "above 0",
            )?;
            ensure(
                (1..=65_536).contains(&c.hidden),
                "contrastive.hidden",
                c.hidden,
                "1 to 65536",
            )?;
            ensure(
                (1..=65_536).contains(&c.out),
                "contrastive.out",
                c.out,
                "1 to 65536",
            )?;
        }
        match (self.loss, &self.offsets) {
            (LossKind::Sdot, None) => {
                ensure(false, "loss", "sdot", "an [offsets] table beside `sdot`")?
            }
            (LossKind::Ce, Some(_)) => {
                ensure(false, "loss", "ce", "no [offsets] table beside `ce`")?
            }
            _ => {}
        }
        if let Some(o) = &self.offsets {
            ensure(
                o.update_every >= 1,
                "offsets.update_every",
                o.update_every,
                "1 or more",
            )?;
            ensure(
                (0.0..1.0).contains(&o.momentum),
                "offsets.momentum",
                o.momentum,
                "0 to below 1",
            )?;
            ensure(
                (64..=10_000_000).contains(&o.samples),
                "offsets.samples",
                o.samples,
                "64 to 10000000",
            )?;
        }
        Ok(())
    }
}
