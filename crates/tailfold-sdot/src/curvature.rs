//! The Hessian of the entropic energy, as each method has it.

use crate::conjugate::Conjugate;
use crate::graph::Kept;
use crate::hessian::Hessian;
use crate::point::SoftPoint;
use crate::walker::Walker;

/// What makes a Newton step of a residual.
pub(crate) enum Curvature {
    /// Factored once: a step costs `C^2`.
    Dense(Hessian),
    /// Solved anew for each step, with what was kept of the probabilities.
    Sparse(Conjugate),
}

impl Curvature {
    /// The curvature at `point`; of what was `kept` there, or by a walk of its own.
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

    /// The Newton step `-H^-1 residual`, `[C]`, with sum 0. `None` when it is not finite.
    pub(crate) fn step(&self, residual: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Dense(hessian) => hessian.step(residual),
            Self::Sparse(conjugate) => conjugate.step(residual),
        }
    }
}
