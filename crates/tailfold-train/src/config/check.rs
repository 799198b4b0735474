//! Reading a configuration and refusing what cannot be run.

use std::path::Path;

use tailfold_data::DataSpec;

use super::error::{ConfigError, ensure};
use super::{TrainConfig, loss};

impl TrainConfig {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file, or the key and what it accepts.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_with(path, &[])
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
        // TOML has no larger integers, and a configuration is compared and kept in its TOML form.
        ensure(
            i64::try_from(self.seed).is_ok(),
            "seed",
            self.seed,
            "below 2^63",
        )?;
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
        if let Some(micro) = self.micro_batch {
            ensure(
                (2..=self.batch).contains(&micro),
                "micro_batch",
                micro,
                "2 to batch",
            )?;
        }
        ensure(
            (0.0..=100_000.0).contains(&self.checkpoint_minutes),
            "checkpoint_minutes",
            self.checkpoint_minutes,
            "0 to 100000",
        )?;
        self.images.check()?;
        self.network.check()?;
        self.optimizer.check(self.epochs)?;
        self.schedule.check()?;
        self.views.check(self.contrastive.is_some())?;
        if let Some(contrastive) = &self.contrastive {
            contrastive.check()?;
        }
        loss::check(self)
    }
}

#[cfg(test)]
mod tests;
