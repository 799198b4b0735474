//! `[offsets]`: the transport problem behind the OT-dynamic softmax loss.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tailfold_sdot::Masses;
use tailfold_spec::{Apply, AtExport, Prior, PriorError};

use super::ensure::ensure;
use crate::error::TrainError;

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

/// Where the transport problem is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetSolver {
    /// On the processor, by `tailfold_sdot::solve`, when that trains or there are more than 512 classes; else on the
    /// device that trains.
    #[default]
    Auto,
    /// On the processor: features of a queue are copied to it for each solution.
    Cpu,
    /// As tensors, by `tailfold_sdot::solve_on`: what is copied is masses, and for a Newton step a matrix `[C, C]`. At most
    /// 512 classes.
    Device,
}

/// Target masses of the transport problem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetMeasure {
    /// `1 / C`.
    #[default]
    Uniform,
    /// The training prior.
    Train,
    /// Masses from a JSON file, as [`Prior::read`] takes them; `target = { file = "prior.json" }`, relative to where the
    /// program runs.
    File(PathBuf),
}

impl TargetMeasure {
    /// The masses' rule for data of `classes`.
    pub(crate) fn prior(&self, classes: &[String]) -> Result<Prior, PriorError> {
        match self {
            Self::Uniform => Ok(Prior::Uniform),
            Self::Train => Ok(Prior::Train),
            Self::File(path) => Prior::read(path, classes),
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
    /// 0: the masses are those of the Laguerre cells. Above 0: those of the mean softmax of scores over this
    /// temperature, in logits; 1 is the loss's own softmax. What `at_export = "resolve"` solves has cells all the same.
    #[serde(default)]
    pub temperature: f64,
    /// Where it is solved.
    #[serde(default)]
    pub solver: OffsetSolver,
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

impl OffsetConfig {
    /// The masses that are measured against the target.
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
