//! Errors of a comparison of two classifiers.

use tailfold_spec::artifact::ArtifactError;

/// Kind of a [`ParityError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParityErrorKind {
    /// The two sides, the labels or the metadata have different numbers of images or classes.
    Mismatch,
    /// The comparison has no images or no classes.
    Empty,
    /// The policy is for another model, or expects another number of images.
    Expected,
    /// The classes cannot be grouped, or a group has no image.
    Groups,
    /// A file cannot be read or written.
    File,
    /// A file is not a parity report, or reports a comparison that could not be made.
    Report,
    /// The baseline has another model, data, images or classes.
    NotComparable,
    /// The policy cannot be read or applied.
    Policy,
    /// The two models have different classes or training counts.
    Classes,
    /// Two models from one checkpoint prepare images differently.
    Preprocessing,
    /// The candidate was quantized from a file other than the reference.
    OtherFloat,
    /// The candidate was calibrated without images of a group.
    Uncalibrated,
}

tailfold_spec::error_type! {
    /// The inputs cannot be compared. The exit code is 2, never a pass.
    pub struct ParityError(ParityErrorKind);
    ArtifactError => File,
}
