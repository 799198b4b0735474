//! Source measures as weighted points: features, spheres, and mixtures of both.

mod sphere;

pub use sphere::{Sequence, Sphere};

use crate::problem::SampleWeights;
use crate::scores::{not_finite, whole_rows};
use crate::{SolveError, SolveErrorKind};

/// A measure on `R^dim` as points with weights.
///
/// ```
/// use tailfold_sdot::{Options, Problem, SampledMeasure, Scores, Sequence, Sphere, solve};
///
/// // Three quarters of the mass on the circle, one quarter on observed features.
/// let mut circle = Sphere::new(2, 7);
/// circle.sequence = Sequence::Sobol;
/// let circle = circle.sample(4_096)?;
/// # let features = tailfold_sdot::sphere_samples(500, 2, 3);
/// let seen = SampledMeasure::features(features, None, 2)?;
/// let source = SampledMeasure::mixture(&[(0.75, &circle), (0.25, &seen)])?;
///
/// let scores = Scores::product(source.points(), &[1.0, 0.0, -0.6, 0.8], source.dim(), 16.0)?;
/// let mut problem = Problem::new(scores, &[0.5, 0.5]);
/// problem.sample_weights = source.weights();
/// let solution = solve(&problem, &Options::default())?;
/// assert!(solution.chi_square < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SampledMeasure {
    /// Points `[n, dim]`, row-major.
    points: Vec<f32>,
    weights: Option<Vec<f64>>,
    dim: usize,
}

impl SampledMeasure {
    /// Features `[n, dim]`, row-major, with weights `[n]`: nonnegative, of any positive sum; `None` means equal
    /// weights.
    ///
    /// # Errors
    /// [`SolveError`] when there is no point or no column, when `points` is not whole rows, when the number of weights
    /// differs from the number of rows, or when a value is invalid, naming its row.
    pub fn features(
        points: Vec<f32>,
        weights: Option<Vec<f64>>,
        dim: usize,
    ) -> Result<Self, SolveError> {
        if dim == 0 {
            return Err(SolveErrorKind::Empty.error("features must have at least one column"));
        }
        let rows = whole_rows("features", &points, dim)?;
        if rows == 0 {
            return Err(SolveErrorKind::Empty.error("the sample is empty"));
        }
        if let Some((row, column, value)) = not_finite(&points, dim) {
            return Err(SolveErrorKind::NotFinite
                .error(format!("feature {column} of row {row} is {value}")));
        }
        SampleWeights::new(weights.as_deref(), rows)?;
        Ok(Self {
            points,
            weights,
            dim,
        })
    }

    /// Combines the parts one after the other; each has its share of the mass, a positive number, and the shares have
    /// any sum.
    ///
    /// A mixture can grow with its parts while their shares stay the same. The larger mixture contains the points of
    /// the smaller one, but not as its first points.
    ///
    /// # Errors
    /// [`SolveError`] without parts, for a share that is not a positive number, or when the points of the parts have
    /// different numbers of coordinates, naming the part.
    pub fn mixture(parts: &[(f64, &Self)]) -> Result<Self, SolveError> {
        let Some((_, first)) = parts.first() else {
            return Err(SolveErrorKind::Empty.error("a mixture of no measures"));
        };
        let sum: f64 = parts.iter().map(|(share, _)| share).sum();
        let (mut points, mut weights) = (Vec::new(), Vec::new());
        for (part, &(share, measure)) in parts.iter().enumerate() {
            if !share.is_normal() || share < 0.0 {
                return Err(SolveErrorKind::Mass.error(format!(
                    "the share of part {part} is {share}, expected a positive number"
                )));
            }
            if measure.dim != first.dim {
                return Err(SolveErrorKind::Length.error(format!(
                    "part {part} of the mixture has points of {found} coordinates, part 0 of \
                     {expected}",
                    found = measure.dim,
                    expected = first.dim
                )));
            }
            let rows = measure.len();
            let own = SampleWeights::new(measure.weights(), rows)?;
            weights.extend((0..rows).map(|row| share / sum * own.get(row)));
            points.extend_from_slice(&measure.points);
        }
        // This check comes last, so that an invalid share is reported first, by its part.
        if !sum.is_normal() {
            return Err(
                SolveErrorKind::Mass.error(format!("the shares of the mixture sum to {sum}"))
            );
        }
        Ok(Self {
            points,
            weights: Some(weights),
            dim: first.dim,
        })
    }

    /// Points `[n, dim]`, row-major, usable as the features of [`Scores::product`](crate::Scores::product) and
    /// [`AffineHead::solve`](crate::AffineHead::solve).
    pub fn points(&self) -> &[f32] {
        &self.points
    }

    /// Weights `[n]`, of any positive sum; `None` when all weights are equal.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of points, at least 1.
    pub fn len(&self) -> usize {
        self.points.len() / self.dim
    }

    /// Returns false, because a measure without points is an error.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

#[cfg(test)]
mod tests;
