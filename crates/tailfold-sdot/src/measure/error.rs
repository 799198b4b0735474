//! What can be wrong with a source measure.

use crate::SolveError;

/// A measure that cannot be sampled as described.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// Points or weights that no transport problem can have, by row.
    #[error(transparent)]
    Sample(#[from] SolveError),
    /// More dimensions than the sequence has directions for.
    #[error(
        "a Sobol sequence has at most {limit} dimensions, the sphere has {dim}: take Gaussian points, which have no limit"
    )]
    Dimensions {
        /// Dimensions of the space around the sphere.
        dim: usize,
        /// Most that there are.
        limit: usize,
    },
    /// A radius that is zero, negative, subnormal, NaN or infinite.
    #[error("the radius of the sphere is {0}, expected a positive number")]
    Radius(f32),
    /// A mixture of nothing.
    #[error("a mixture of no measures")]
    NoParts,
    /// A share that is zero, negative, subnormal, NaN or infinite.
    #[error("the share of part {part} is {value}, expected a positive number")]
    Share {
        /// Index of the part.
        part: usize,
        /// The share.
        value: f64,
    },
    /// Shares that do not have a sum to divide by.
    #[error("the shares of the mixture sum to {sum}")]
    ShareSum {
        /// Their sum.
        sum: f64,
    },
    /// Points of different spaces.
    #[error("part {part} of the mixture has points of {found} coordinates, part 0 of {expected}")]
    PartDimensions {
        /// Index of the part.
        part: usize,
        /// Coordinates of the first part's points.
        expected: usize,
        /// Coordinates of this part's points.
        found: usize,
    },
}
