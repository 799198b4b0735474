//! Errors of reading and merging the parts of a sharded run.

use tailfold_spec::artifact::ArtifactError;

/// Kind of a [`PartError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartErrorKind {
    /// A part cannot be read or written.
    File,
    /// A part is cut short or damaged, or has another schema or other tensors than its command writes.
    Damaged,
    /// A file is not a part of a sharded run.
    NotAPart,
    /// The parts belong to different runs or commands.
    OtherRun,
    /// Two files hold the same shard.
    Twice,
    /// A shard is in no file.
    Missing,
}

tailfold_spec::error_type! {
    /// A part cannot be used, or the given parts do not belong together; the message names the files.
    pub struct PartError(PartErrorKind);
    ArtifactError => File,
}

impl From<serde_json::Error> for PartError {
    fn from(cause: serde_json::Error) -> Self {
        PartErrorKind::File
            .error("the header of a part has no JSON form")
            .caused_by(cause)
    }
}
