//! The source and the split of a data set: the part of the text before the options.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SpecError;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Images for training.
    Train,
    /// Images for model selection.
    Val,
    /// Images for the final measurement.
    Test,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// Returns `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The source of the images.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataSource {
    /// The long-tailed Fashion-MNIST that ships with the repository.
    Embedded,
    /// CIFAR-10 binary records in this folder.
    Cifar10(PathBuf),
    /// CIFAR-100 binary records in this folder.
    Cifar100(PathBuf),
    /// MNIST's IDX files in this folder.
    Idx(PathBuf),
    /// One sub-folder per class, in this folder or in its `train`, `val` and `test` folders.
    Folder(PathBuf),
    /// A list with lines of `path label`; paths are relative to `root`. `{split}` in the file's name stands for the
    /// split.
    List {
        /// The list file.
        file: PathBuf,
        /// Folder of the images.
        root: PathBuf,
    },
    /// COCO's JSON with one category per image, as in iNaturalist; paths are relative to `root`. `{split}` in the
    /// file's name stands for the split.
    Json {
        /// The JSON file.
        file: PathBuf,
        /// Folder of the images.
        root: PathBuf,
    },
    /// A CSV file with rows of `file,label`; files are relative to the CSV's folder. `{split}` in its name stands for
    /// the split.
    Csv(PathBuf),
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => write!(f, "embedded"),
            Self::Cifar10(dir) => write!(f, "cifar10:{}", dir.display()),
            Self::Cifar100(dir) => write!(f, "cifar100:{}", dir.display()),
            Self::Idx(dir) => write!(f, "idx:{}", dir.display()),
            Self::Folder(dir) => write!(f, "folder:{}", dir.display()),
            Self::List { file, root } => write!(f, "list:{}@{}", file.display(), root.display()),
            Self::Json { file, root } => write!(f, "json:{}@{}", file.display(), root.display()),
            Self::Csv(file) => write!(f, "csv:{}", file.display()),
        }
    }
}

impl FromStr for DataSource {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (kind, place) = text
            .split_once(':')
            .map_or((text, None), |(kind, place)| (kind, Some(place)));
        let wrong = |form| SpecError::Form {
            found: text.to_owned(),
            form,
        };
        let path = |form| match place {
            Some(place) if !place.is_empty() => Ok(PathBuf::from(place)),
            _ => Err(wrong(form)),
        };
        let file_at = |form| match place.and_then(|place| place.rsplit_once('@')) {
            Some((file, root)) if !file.is_empty() && !root.is_empty() => {
                Ok((PathBuf::from(file), PathBuf::from(root)))
            }
            _ => Err(wrong(form)),
        };
        match kind {
            "embedded" if place.is_none() => Ok(Self::Embedded),
            "embedded" => Err(wrong("embedded")),
            "cifar10" => Ok(Self::Cifar10(path("cifar10:DIR")?)),
            "cifar100" => Ok(Self::Cifar100(path("cifar100:DIR")?)),
            "idx" => Ok(Self::Idx(path("idx:DIR")?)),
            "folder" => Ok(Self::Folder(path("folder:DIR")?)),
            "csv" => Ok(Self::Csv(path("csv:FILE")?)),
            "list" => {
                let (file, root) = file_at("list:FILE@ROOT")?;
                Ok(Self::List { file, root })
            }
            "json" => {
                let (file, root) = file_at("json:FILE@ROOT")?;
                Ok(Self::Json { file, root })
            }
            _ => Err(SpecError::Kind(kind.to_owned())),
        }
    }
}
