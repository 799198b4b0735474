//! `[offsets]`: the transport problem behind the OT-dynamic softmax loss.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tailfold_sdot::Masses;
use tailfold_spec::{Apply, AtExport, Prior, PriorError};

use super::ensure::ensure;
use crate::error::TrainError;

/// Source measure of the transport problem: the points or the surface on which the mass of a cell is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceMeasure {
    /// Uniform on a sphere of the feature space: the mass of a cell is its area. The radius is the mean length of the
    /// features in the last step; it is 1 with a cosine head, and before the first step.
    #[default]
    Sphere,
    /// Recent training features, weighted so that each class has the same total mass.
    BalancedFeatures,
    /// Recent training features, without weights.
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

/// Place where the transport problem is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetSolver {
    /// On the CPU when it trains the network or when there are more than 512 classes; else on the device that trains.
    #[default]
    Auto,
    /// On the CPU, by `tailfold_sdot::solve`. The feature queue is copied to it for each solution.
    Cpu,
    /// On the device that trains, by `tailfold_sdot::solve_on`. Only masses are copied, and a `[C, C]` matrix per Newton
    /// step. At most 512 classes.
    Device,
}

/// Target masses of the transport problem: the share of the source measure that each class gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetMeasure {
    /// The same mass for each of the `C` classes, `1 / C`.
    #[default]
    Uniform,
    /// The shares of the classes in the training data.
    Train,
    /// Masses from a JSON file. A relative path starts at the current folder of the program.
    File(PathBuf),
}

impl TargetMeasure {
    /// The prior over `classes` that these masses stand for.
    pub(crate) fn prior(&self, classes: &[String]) -> Result<Prior, PriorError> {
        match self {
            Self::Uniform => Ok(Prior::Uniform),
            Self::Train => Ok(Prior::Train),
            Self::File(path) => Prior::read(path, classes),
        }
    }
}

/// Class offsets of the OT-dynamic softmax loss: the solution of a semi-discrete optimal transport problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetConfig {
    /// Source measure: the mass of a cell is measured on it.
    #[serde(default)]
    pub source: SourceMeasure,
    /// Target masses of the cells.
    #[serde(default)]
    pub target: TargetMeasure,
    /// Temperature of the masses, in logits: 0, or 0.01 to 1000. With 0, the mass of a class is the mass of its Laguerre
    /// cell. Above 0, it is the mean softmax of `scores / temperature`; 1 is the softmax of the loss. The offsets of
    /// `at_export = "resolve"` are always solved for cells.
    #[serde(default)]
    pub temperature: f64,
    /// Place where the transport problem is solved.
    #[serde(default)]
    pub solver: OffsetSolver,
    /// Sign with which the offsets `h` enter the loss on the scores `s`.
    #[serde(default)]
    pub apply: Apply,
    /// Offsets that the exporter folds into the classifier.
    #[serde(default)]
    pub at_export: AtExport,
    /// Steps between two solutions of the transport problem, 1 or more. It is also solved at the start of each epoch.
    #[serde(default = "default_update_every")]
    pub update_every: usize,
    /// Number of epochs at the start with zero offsets.
    #[serde(default)]
    pub warmup_epochs: usize,
    /// Share of the old offsets that an update keeps, 0 to below 1.
    #[serde(default)]
    pub momentum: f64,
    /// Number of points of the source measure, 64 to 10000000: samples of the sphere, or the length of the feature queue.
    #[serde(default = "default_samples")]
    pub samples: usize,
}

fn default_update_every() -> usize {
    10
}

fn default_samples() -> usize {
    4096
}

impl OffsetConfig {
    /// Kind of the masses that are compared with the target.
    pub(crate) fn masses(&self) -> Masses {
        if self.temperature > 0.0 {
            Masses::Soft {
                epsilon: self.temperature,
            }
        } else {
            Masses::Hard
        }
    }

    pub(super) fn check(&self, epochs: usize) -> Result<(), TrainError> {
        let o = self;
        ensure(
            o.warmup_epochs < epochs,
            "offsets.warmup_epochs",
            o.warmup_epochs,
            "below epochs",
        )?;
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
            o.temperature == 0.0 || (0.01..=1e3).contains(&o.temperature),
            "offsets.temperature",
            o.temperature,
            "0, or 0.01 to 1000",
        )?;
        ensure(
            (64..=10_000_000).contains(&o.samples),
            "offsets.samples",
            o.samples,
            "64 to 10000000",
        )?;
        Ok(())
    }
}
