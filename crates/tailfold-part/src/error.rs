//! Why files are not the parts of one run.

use std::path::PathBuf;

use tailfold_spec::Shard;
use tailfold_spec::artifact::ArtifactError;

use crate::Kind;

/// A part that cannot be used, or parts that do not belong together. Each message names the files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not what was written.
    #[error("{}: the part is cut short or damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// Another kind of file.
    #[error(
        "{} is no part of a run in shards: its header has no `tailfold.part`", path.display()
    )]
    NotAPart {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("{} has the schema `{found}`, expected `{expected}`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What this version reads.
        expected: &'static str,
    },
    /// A tensor that is not what its kind of part has.
    #[error("{}: tensor `{tensor}` is {found}, expected {expected}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What there is.
        found: String,
        /// What is needed.
        expected: String,
    },
    /// No files.
    #[error("no parts were given")]
    NoParts,
    /// Parts of different commands.
    #[error(
        "{} is a part of `{found}`, but {} is one of `{expected}`", path.display(), other.display()
    )]
    Kind {
        /// The file.
        path: PathBuf,
        /// Its kind.
        found: Kind,
        /// The file it was given with.
        other: PathBuf,
        /// The kind of that.
        expected: Kind,
    },
    /// Parts of runs in different numbers of shards.
    #[error(
        "{} is shard {found}, but {} is shard {expected}: they share the images out differently",
        path.display(),
        other.display()
    )]
    Count {
        /// The file.
        path: PathBuf,
        /// Its shard.
        found: Shard,
        /// The file it was given with.
        other: PathBuf,
        /// The shard of that.
        expected: Shard,
    },
    /// Parts of runs that were asked for different things.
    #[error(
        "{} and {} are not of the same run: `{what}` is {found} in the one and {expected} in the other",
        path.display(),
        other.display()
    )]
    Asked {
        /// The file.
        path: PathBuf,
        /// The file it was given with.
        other: PathBuf,
        /// What differs.
        what: String,
        /// In `path`.
        found: String,
        /// In `other`.
        expected: String,
    },
    /// One shard in two files.
    #[error("{} and {} are both shard {shard}", first.display(), second.display())]
    Twice {
        /// The shard.
        shard: Shard,
        /// A file.
        first: PathBuf,
        /// Another, or the same.
        second: PathBuf,
    },
    /// Shards in no file.
    #[error("{lost} of {of} shards are missing ({named}): the files given are {given}")]
    Lost {
        /// How many there is no file of.
        lost: usize,
        /// How many shards there are.
        of: usize,
        /// The first of them.
        named: String,
        /// Files and their shards.
        given: String,
    },
    /// Numbers for the header that JSON does not have.
    #[error("the header of a part has no JSON form")]
    Json(#[from] serde_json::Error),
}
