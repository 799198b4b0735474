//! Reasons why a chain cannot be judged.

use crate::ParityError;

/// A chain that cannot be judged; never a pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is no model's step.
    #[error("the chain has no step")]
    NoStep,
    /// Two sets of logits have different shapes, `[images, classes]` each.
    #[error(
        "{} rows of {} logits were expected but {} of {} came back",
        .expected[0], .expected[1], .found[0], .found[1]
    )]
    Shape {
        /// Shape of the earlier step.
        expected: [usize; 2],
        /// Shape of the later step.
        found: [usize; 2],
    },
    /// A step has an error.
    #[error("{step}")]
    Step {
        /// Stage and back end.
        step: String,
        /// The error.
        source: Box<ChainError>,
    },
    /// A comparison has an error.
    #[error(transparent)]
    Compare(#[from] ParityError),
}
