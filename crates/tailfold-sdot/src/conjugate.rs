//! Newton steps by conjugate gradients, for large Hessians: only products of the Hessian with vectors are computed.

use crate::energy::dot;
use crate::graph::Kept;
use crate::hessian::centre;

/// Relative residual at which a step is accurate enough: the gradient changes with the step anyway.
const ENOUGH: f64 = 0.03;
/// Largest number of products per step.
const MAX_PRODUCTS: usize = 80;
/// Added to the diagonal, as a fraction of the diagonal and of the class's mass: classes without an edge have no
/// curvature.
const RIDGE: f64 = 1e-6;
/// Approximate largest movement of a class, in temperatures: the residual divided by this is added to the diagonal. Far
/// from its mass a class has almost no curvature, and this little curvature does not show in which direction to move.
const FAR: f64 = 4.0;

/// `epsilon` times the Hessian, computed from the kept probabilities.
pub(crate) struct Conjugate {
    kept: Kept,
    /// Diagonal of the Hessian, `[C]`.
    diagonal: Vec<f64>,
    /// Soft masses, `[C]`.
    mass: Vec<f64>,
    epsilon: f64,
}

impl Conjugate {
    /// The Hessian at the point where `kept` was recorded and the soft masses are `soft`; `None` when it connects no
    /// two classes.
    pub(crate) fn new(kept: Kept, soft: &[f64], epsilon: f64) -> Option<Self> {
        let diagonal = kept.diagonal(soft.len());
        diagonal.iter().any(|&d| d > 0.0).then(|| Self {
            kept,
            diagonal,
            mass: soft.to_vec(),
            epsilon,
        })
    }

    /// Returns the approximate Newton step `-H^-1 residual`, `[C]`, with sum 0; `None` when it is not finite.
    pub(crate) fn step(&self, residual: &[f64]) -> Option<Vec<f64>> {
        let ridge: Vec<f64> = (self.diagonal.iter().zip(&self.mass).zip(residual))
            .map(|((d, mass), r)| RIDGE * (d + mass) + r.abs() / FAR + f64::MIN_POSITIVE)
            .collect();
        let scaled = |vector: &[f64]| -> Vec<f64> {
            let diagonal = self.diagonal.iter().zip(&ridge);
            vector
                .iter()
                .zip(diagonal)
                .map(|(v, (d, r))| v / (d + r))
                .collect()
        };
        let mut left: Vec<f64> = residual.iter().map(|r| -self.epsilon * r).collect();
        let mut step = vec![0.0; left.len()];
        let mut direction = scaled(&left);
        let mut size = dot(&left, &direction);
        let enough = size * ENOUGH.powi(2);
        for _ in 0..MAX_PRODUCTS {
            if size <= enough || size.is_nan() {
                break;
            }
            let mut image = self.kept.times(&direction);
            for (sum, (r, v)) in image.iter_mut().zip(ridge.iter().zip(&direction)) {
                *sum += r * v;
            }
            let length = size / dot(&direction, &image);
            add(&mut step, length, &direction);
            add(&mut left, -length, &image);
            let next_direction = scaled(&left);
            let next = dot(&left, &next_direction);
            let keep = next / size;
            size = next;
            for (d, s) in direction.iter_mut().zip(&next_direction) {
                *d = s + keep * *d;
            }
        }
        centre(&mut step);
        step.iter().all(|d| d.is_finite()).then_some(step)
    }
}

fn add(sum: &mut [f64], factor: f64, vector: &[f64]) {
    sum.iter_mut()
        .zip(vector)
        .for_each(|(sum, v)| *sum += factor * v);
}
