//! What can be wrong with a configuration.

use std::path::PathBuf;

use tailfold_data::SpecError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{ArchitectureError, PreprocessError};

use super::Suggestion;

/// A configuration that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not TOML, a wrong type, or a key that does not exist.
    #[error(
        "{} is not a training configuration{}",
        path.display(),
        suggestion.as_ref().map_or_else(String::new, |s| format!(" ({s})"))
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// For a key or a value that does not exist, the nearest that does.
        suggestion: Option<Box<Suggestion>>,
        /// Why; names the key and the line.
        #[source]
        source: toml::de::Error,
    },
    /// As [`ConfigError::Parse`], with values given beside the file.
    #[error("{} with {given} is not a training configuration", path.display())]
    ParseGiven {
        /// The file.
        path: PathBuf,
        /// What was given, `key=value`, separated by commas.
        given: String,
        /// For a key or a value that does not exist, the nearest that does.
        suggestion: Option<Box<Suggestion>>,
        /// Why; names the key.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value given beside the file that has no place in it.
    #[error("`{given}`: {why}")]
    Given {
        /// As given.
        given: String,
        /// Why.
        why: String,
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
    /// A table of a loss that is not trained.
    #[error("[{table}] has no effect beside loss `{loss}`: it belongs to `{owner}`")]
    Unused {
        /// The table.
        table: &'static str,
        /// The loss.
        loss: &'static str,
        /// The loss that reads the table.
        owner: &'static str,
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
