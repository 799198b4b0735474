//! Reading a configuration and refusing what cannot be run.

use std::path::{Path, PathBuf};

use tailfold_data::{DataSpec, SpecError};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{ArchitectureError, PreprocessError};

use super::{LossKind, TrainConfig};

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

/// `Ok` when `ok`, else an error naming the key.
pub(super) fn ensure(
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
        self.images.check()?;
        self.network.check()?;
        self.optimizer.check(self.epochs)?;
        self.schedule.check()?;
        self.views.check(self.contrastive.is_some())?;
        if let Some(contrastive) = &self.contrastive {
            contrastive.check()?;
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
        if let Some(offsets) = &self.offsets {
            offsets.check(self.epochs)?;
        }
        Ok(())
    }
}
