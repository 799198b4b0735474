//! Two models that must not be compared.

use tailfold_spec::Group;

use super::preprocess::Difference;
use crate::ParityError;

/// Two models that must not be compared; exit code 2, never a pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// Different numbers of classes.
    #[error("the reference has {reference} classes but the candidate has {candidate}")]
    ClassCount {
        /// Classes of the reference.
        reference: usize,
        /// Classes of the candidate.
        candidate: usize,
    },
    /// Other classes, or the same in another order.
    #[error(
        "class {class} is `{reference}` in the reference but `{candidate}` in the candidate{}",
        if *reordered { ": the same classes in another order" } else { "" }
    )]
    ClassName {
        /// The first class that differs.
        class: usize,
        /// Its name in the reference.
        reference: String,
        /// Its name in the candidate.
        candidate: String,
        /// Both have the same names.
        reordered: bool,
    },
    /// Models of different training data.
    #[error(
        "class {class} `{name}` has {reference} training images in the reference but {candidate} in the candidate"
    )]
    TrainCount {
        /// The first class that differs.
        class: usize,
        /// Its name.
        name: String,
        /// Training images by the reference.
        reference: u64,
        /// Training images by the candidate.
        candidate: u64,
    },
    /// Two forms of one checkpoint that do not see the same images.
    #[error(
        "both are forms of one checkpoint, but {0}; `--allow-other-preprocessing` compares them all the same"
    )]
    Preprocess(Difference),
    /// A quantized form of something else.
    #[error(
        "the candidate was quantized from the file with SHA-256 {made_of}, but the reference's is {reference}; `--allow-other-float` compares them all the same"
    )]
    OtherFloat {
        /// SHA-256 of the file that the candidate was made of.
        made_of: String,
        /// SHA-256 of the reference.
        reference: String,
    },
    /// A group that the calibration did not see.
    #[error(
        "the candidate was calibrated on {calibration} without an image of group {group} ({classes} classes, the first {first} `{name}`); `--allow-uncalibrated` compares them all the same"
    )]
    Uncalibrated {
        /// The group.
        group: Group,
        /// Its classes.
        classes: usize,
        /// The first of them.
        first: usize,
        /// Its name.
        name: String,
        /// Data that was calibrated on.
        calibration: String,
    },
    /// Classes that the policy cannot group.
    #[error(transparent)]
    Groups(#[from] ParityError),
}
