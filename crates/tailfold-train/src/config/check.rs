//! Reading a configuration and refusing what cannot be run.

use std::path::{Path, PathBuf};

use tailfold_data::{DataSpec, SpecError};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{Architecture, ArchitectureError, PreprocessError};

use super::{LossKind, ScheduleConfig, TrainConfig};

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
    /// A data spec that cannot be read.
    #[error("{key} is not a data spec")]
    Spec {
        /// The key.
        key: &'static str,
        /// Why; names the option and what is accepted.
        #[source]
        source: SpecError,
    },
    /// A normalisation that does not fit the images, or divides by zero.
    #[error("normalisation")]
    Normalisation(#[from] PreprocessError),
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
        for (key, text) in [
            ("data", Some(&self.data)),
            ("validation", self.validation.as_ref()),
        ] {
            let parsed = text.map(|text| text.parse::<DataSpec>()).transpose();
            parsed.map_err(|source| ConfigError::Spec { key, source })?;
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
            (0.0..=self.epochs as f64).contains(&o.warmup_epochs),
            "optimizer.warmup_epochs",
            o.warmup_epochs,
            "0 to epochs",
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
                c.temperature > 0.0 && c.temperature.is_finite(),
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
                o.warmup_epochs < self.epochs,
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
                (64..=10_000_000).contains(&o.samples),
                "offsets.samples",
                o.samples,
                "64 to 10000000",
            )?;
        }
        Ok(())
    }
}
