//! `manifest.toml` of a run folder: the network, its training data, and the hashes of the files next to the
//! manifest.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::artifact::{self, ArtifactError};
use crate::{
    Apply, Architecture, ArchitectureError, AtExport, OffsetsError, OffsetsRecord, Preprocess,
    PreprocessError,
};

/// Names and hashes of a run folder's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFiles {
    /// SHA-256 of `checkpoint.safetensors`.
    pub checkpoint_sha256: String,
    /// SHA-256 of `offsets.json`.
    pub offsets_sha256: String,
    /// SHA-256 of `golden/golden.safetensors`.
    pub golden_sha256: String,
    /// SHA-256 of `features.safetensors`: class-balanced training features, from which offsets can be solved again.
    pub features_sha256: String,
}

/// A trained model as other commands read it: the manifest is the only interface between training and those
/// commands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`Manifest::SCHEMA`].
    pub schema: String,
    /// Name of the run.
    pub name: String,
    /// Display name of the loss, such as `ce` or `sdot`.
    pub loss: String,
    /// Training data, as given by the user.
    pub data: String,
    /// Seed of the run.
    pub seed: u64,
    /// Number of training epochs.
    pub epochs: usize,
    /// Sign of the offsets in the loss.
    pub apply: Apply,
    /// Default choice of the offsets that the exporter folds.
    pub at_export: AtExport,
    /// Class names, label order.
    pub classes: Vec<String>,
    /// Number of training images per class, label order.
    pub train_counts: Vec<u64>,
    /// The network.
    pub architecture: Architecture,
    /// The network's input.
    pub preprocess: Preprocess,
    /// The files of the run folder.
    pub files: RunFiles,
}

/// The run folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// The file is not a manifest.
    #[error("{} is not a run manifest", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: toml::de::Error,
    },
    /// The file is not an offsets file.
    #[error("{} is not an offsets file", path.display())]
    Offsets {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: serde_json::Error,
    },
    /// The file has another version of the format.
    #[error("{} has schema `{found}`, expected `{expected}`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Schema found.
        found: String,
        /// Schema expected.
        expected: &'static str,
    },
    /// The file changed after the manifest was written.
    #[error("{} has sha256 {found}, but the manifest says {expected}", path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// Hash of the file.
        found: String,
        /// Hash in the manifest.
        expected: String,
    },
    /// Class lists have different lengths.
    #[error("{}: the architecture has {classes} classes, but {field} has {found} entries", path.display())]
    ClassCount {
        /// The file.
        path: PathBuf,
        /// `classes` or `train_counts`.
        field: &'static str,
        /// Number of classes of the architecture.
        classes: usize,
        /// Number of entries found.
        found: usize,
    },
    /// The network cannot be built.
    #[error("{}", path.display())]
    Architecture {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: ArchitectureError,
    },
    /// The preprocessing is invalid.
    #[error("{}", path.display())]
    Preprocess {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: PreprocessError,
    },
    /// The offsets do not fit the classes.
    #[error("{}", path.display())]
    BadOffsets {
        /// The file.
        path: PathBuf,
        /// The underlying error.
        #[source]
        source: OffsetsError,
    },
}

impl Manifest {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.run/1";
    /// File name in a run folder.
    pub const FILE: &'static str = "manifest.toml";
    /// Weights, with burn's tensor names.
    pub const CHECKPOINT: &'static str = "checkpoint.safetensors";
    /// Offsets of the last training step.
    pub const OFFSETS: &'static str = "offsets.json";
    /// Inputs and the training framework's outputs for them.
    pub const GOLDEN: &'static str = "golden/golden.safetensors";
    /// Class-balanced training features.
    pub const FEATURES: &'static str = "features.safetensors";

    /// Reads and checks the manifest of the run folder `run`.
    ///
    /// # Errors
    /// [`ManifestError`] naming the file and the field.
    pub fn read(run: &Path) -> Result<Self, ManifestError> {
        let path = run.join(Self::FILE);
        let text = artifact::read_to_string(&path)?;
        let manifest: Self = toml::from_str(&text).map_err(|source| ManifestError::Parse {
            path: path.clone(),
            source,
        })?;
        if manifest.schema != Self::SCHEMA {
            return Err(ManifestError::Schema {
                path,
                found: manifest.schema,
                expected: Self::SCHEMA,
            });
        }
        manifest
            .architecture
            .validate()
            .map_err(|source| ManifestError::Architecture {
                path: path.clone(),
                source,
            })?;
        manifest
            .preprocess
            .validate()
            .map_err(|source| ManifestError::Preprocess {
                path: path.clone(),
                source,
            })?;
        let classes = manifest.architecture.classes;
        for (field, found) in [
            ("classes", manifest.classes.len()),
            ("train_counts", manifest.train_counts.len()),
        ] {
            if found != classes {
                return Err(ManifestError::ClassCount {
                    path,
                    field,
                    classes,
                    found,
                });
            }
        }
        Ok(manifest)
    }

    /// The manifest as TOML.
    ///
    /// # Panics
    /// Never: every field has a TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a manifest has only fields that TOML can hold")
    }

    /// Reads `file` of the run folder and compares it with the hash in the manifest.
    ///
    /// # Errors
    /// [`ManifestError::File`] or [`ManifestError::Hash`].
    pub fn read_file(&self, run: &Path, file: &str) -> Result<Vec<u8>, ManifestError> {
        let expected = match file {
            Self::CHECKPOINT => &self.files.checkpoint_sha256,
            Self::OFFSETS => &self.files.offsets_sha256,
            Self::GOLDEN => &self.files.golden_sha256,
            _ => &self.files.features_sha256,
        };
        let path = run.join(file);
        let bytes = artifact::read(&path)?;
        let found = artifact::sha256(&bytes);
        if found != *expected {
            return Err(ManifestError::Hash {
                path,
                found,
                expected: expected.clone(),
            });
        }
        Ok(bytes)
    }

    /// Reads the training offsets of the run folder.
    ///
    /// # Errors
    /// [`ManifestError`] when the file is missing, altered, or does not fit the classes.
    pub fn read_offsets(&self, run: &Path) -> Result<OffsetsRecord, ManifestError> {
        let path = run.join(Self::OFFSETS);
        let bytes = self.read_file(run, Self::OFFSETS)?;
        let record: OffsetsRecord =
            serde_json::from_slice(&bytes).map_err(|source| ManifestError::Offsets {
                path: path.clone(),
                source,
            })?;
        if record.schema != OffsetsRecord::SCHEMA {
            return Err(ManifestError::Schema {
                path,
                found: record.schema,
                expected: OffsetsRecord::SCHEMA,
            });
        }
        record
            .validate(self.architecture.classes)
            .map_err(|source| ManifestError::BadOffsets { path, source })?;
        Ok(record)
    }
}
