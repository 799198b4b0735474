//! Why two classifiers could not be compared.

use std::path::PathBuf;

use tailfold_spec::Group;
use tailfold_spec::artifact::ArtifactError;

use crate::PolicyError;

/// Inputs that cannot be compared; exit code 2, never a pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParityError {
    /// The two sides score different numbers of classes.
    #[error("the reference has {reference} classes but the candidate has {candidate}")]
    ClassCount {
        /// Classes of the reference.
        reference: usize,
        /// Classes of the candidate.
        candidate: usize,
    },
    /// The model's metadata do not fit the logits.
    #[error("the logits have {classes} classes but the model has {found} {what}")]
    Card {
        /// `class names` or `training counts`.
        what: &'static str,
        /// Classes of the logits.
        classes: usize,
        /// Entries found.
        found: usize,
    },
    /// The two sides scored different numbers of images.
    #[error("the reference scored {reference} images but the candidate scored {candidate}")]
    ImageCount {
        /// Images scored by the reference.
        reference: usize,
        /// Images scored by the candidate.
        candidate: usize,
    },
    /// One label an image is needed.
    #[error("{images} images were scored but {labels} labels were given")]
    LabelCount {
        /// Images scored.
        images: usize,
        /// Labels given.
        labels: usize,
    },
    /// A label beyond the last class.
    #[error("image {row} has label {label} but the model has {classes} classes")]
    Label {
        /// The image, from 0.
        row: usize,
        /// Its label.
        label: usize,
        /// Classes of the logits.
        classes: usize,
    },
    /// A check of nothing.
    #[error("there are no images to compare")]
    NoImages,
    /// Fewer or more images than the policy pins.
    #[error("the policy expects {expected} images but {found} were scored")]
    ExpectedImages {
        /// `expected_images` of the policy.
        expected: usize,
        /// Images scored.
        found: usize,
    },
    /// Fewer or more images of a group than the policy pins.
    #[error("the policy expects {expected} images of group {group} but {found} were scored")]
    ExpectedGroupImages {
        /// The group.
        group: Group,
        /// `expected_group_images` of the policy.
        expected: usize,
        /// Images scored.
        found: usize,
    },
    /// Values that do not fill their rows.
    #[error("the {side} has {found} logits for {images} images of {classes} classes")]
    Values {
        /// `reference` or `candidate`.
        side: &'static str,
        /// Images.
        images: usize,
        /// Classes.
        classes: usize,
        /// Logits given.
        found: usize,
    },
    /// A policy that was written for another model.
    #[error("the policy is for the model `{expected}`, but this is `{found}`")]
    OtherModel {
        /// `model` of the policy.
        expected: String,
        /// Name in the model's metadata.
        found: String,
    },
    /// A model without classes.
    #[error("the model has no classes")]
    NoClasses,
    /// Thirds of classes that are all alike.
    #[error(
        "{classes} classes with {count} images each: nothing tells frequent from rare, so there are no thirds"
    )]
    NoOrder {
        /// Classes.
        classes: usize,
        /// Training images of each.
        count: u64,
    },
    /// A report that cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file that is cut, or no report.
    #[error("{} is not a whole parity report", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A report of another version.
    #[error("{} has the schema `{found}`, expected `tailfold.parity/1`", path.display())]
    ReportSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
    },
    /// Two reports whose accuracies do not speak of the same.
    #[error("the baseline is of another {what}: `{before}`, this run has `{after}`")]
    NotComparable {
        /// What differs.
        what: &'static str,
        /// In the baseline.
        before: String,
        /// In this run.
        after: String,
    },
    /// A report of a comparison that could not be made.
    #[error("{} tells of a comparison that could not be made", path.display())]
    ReportOfNothing {
        /// The file.
        path: PathBuf,
    },
    /// A group of which nothing can be said.
    #[error("group {group} has {classes} classes but no image")]
    EmptyGroup {
        /// The group.
        group: Group,
        /// Its classes.
        classes: usize,
    },
    /// A policy that cannot be applied.
    #[error("the policy is unusable")]
    Policy(#[from] PolicyError),
}
