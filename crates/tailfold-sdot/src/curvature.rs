//! The Hessian of the entropic energy in the form that each method uses.

use crate::conjugate::Conjugate;
use crate::graph::Kept;
use crate::hessian::Hessian;
use crate::point::SoftPoint;
use crate::walker::Walker;

/// Computes Newton steps from residuals.
pub(crate) enum Curvature {
    /// The factored Hessian: a step costs `C^2`.
    Dense(Hessian),
    /// The Hessian by products with the kept probabilities: each step is solved iteratively.
    Sparse(Conjugate),
}

impl Curvature {
    /// The curvature at `point`, from the `kept` probabilities or else from another pass over the sample.
    pub(crate) fn at(
        sample: &mut Walker<'_>,
        point: &SoftPoint,
        kept: Option<Kept>,
    ) -> Option<Self> {
        let (soft, epsilon) = (&point.soft, point.epsilon);
        Some(match kept {
            Some(kept) => Self::Sparse(Conjugate::new(kept, soft, epsilon)?),
            None => {
                let edges = sample.edges(&point.offsets, soft, epsilon);
                Self::Dense(Hessian::new(edges, soft, epsilon)?)
            }
        })
    }

    /// Returns the Newton step `-H^-1 residual`, `[C]`, with sum 0; `None` when it is not finite.
    pub(crate) fn step(&self, residual: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Dense(hessian) => hessian.step(residual),
            Self::Sparse(conjugate) => conjugate.step(residual),
        }
    }
}
