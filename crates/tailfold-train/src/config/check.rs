//! Reads a configuration and rejects values that training cannot use.

use std::path::Path;

use tailfold_data::{DataSpec, SpecError};

use super::ensure::ensure;
use super::{TrainConfig, loss};
use crate::error::{TrainError, TrainErrorKind};

/// The data spec at `key`; the error's cause names the option and the accepted values.
pub(crate) fn data_spec(text: &str, key: &'static str) -> Result<DataSpec, TrainError> {
    text.parse().map_err(|source: SpecError| {
        TrainErrorKind::Config
            .error(format!("{key} is not a data spec"))
            .caused_by(source)
    })
}

impl TrainConfig {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`TrainError`] naming the file, or the key and the accepted values.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        Self::read_with(path, &[])
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`TrainErrorKind::Config`], naming the key and the accepted values.
    pub fn validate(&self) -> Result<(), TrainError> {
        for (key, text) in [
            ("data", Some(&self.data)),
            ("validation", self.validation.as_ref()),
        ] {
            if let Some(text) = text {
                data_spec(text, key)?;
            }
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
