//! A classifier's last layer as a transport problem: cells of `W z + b` under weighted features.

use crate::{Options, Problem, Scores, Solution, SolveError, solve};

/// Weights `[C, d]` and bias `[C]` of the layer that makes the raw scores.
#[derive(Clone, Debug)]
pub struct AffineHead {
    /// `[C, d + 1]`: each row with its bias behind it.
    rows: Vec<f32>,
    dim: usize,
}

impl AffineHead {
    /// A head with `weights` `[C, d]` and `bias` `[C]`, both row-major in label order.
    ///
    /// # Errors
    /// [`SolveError::Length`] when `weights` is not `C` rows of `d` values.
    pub fn new(weights: &[f32], bias: &[f32], dim: usize) -> Result<Self, SolveError> {
        if dim == 0 || weights.len() != bias.len() * dim {
            return Err(SolveError::Length {
                what: "head weights",
                expected: bias.len() * dim,
                found: weights.len(),
            });
        }
        let rows = weights
            .chunks_exact(dim)
            .zip(bias)
            .flat_map(|(w, b)| w.iter().chain(std::iter::once(b)))
            .copied();
        Ok(Self {
            rows: rows.collect(),
            dim,
        })
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The offsets that give the cells the masses `target` `[C]` under features `[n, d]` of weights `[n]` (equal ones
    /// when `None`).
    ///
    /// # Errors
    /// Those of [`solve`], and [`SolveError::Length`] when `features` does not hold whole rows.
    pub fn solve(
        &self,
        features: &[f32],
        sample_weights: Option<&[f64]>,
        target: &[f64],
        options: &Options,
    ) -> Result<Solution, SolveError> {
        if !features.len().is_multiple_of(self.dim) {
            let expected = features.len().div_ceil(self.dim) * self.dim;
            return Err(SolveError::Length {
                what: "features",
                expected,
                found: features.len(),
            });
        }
        let one = [1.0_f32];
        let points: Vec<f32> = features
            .chunks_exact(self.dim)
            .flat_map(|z| z.iter().chain(&one))
            .copied()
            .collect();
        let scores = Scores::product(&points, &self.rows, self.dim + 1, 1.0)?;
        solve(
            &Problem {
                scores,
                sample_weights,
                target,
            },
            options,
        )
    }
}

/// Weight `1 / n_y` for each label, so that every class present has the same total mass.
///
/// # Errors
/// [`SolveError::Label`] when a label is not below `classes`.
pub fn balanced_weights(labels: &[usize], classes: usize) -> Result<Vec<f64>, SolveError> {
    let mut counts = vec![0_u32; classes];
    for (row, &label) in labels.iter().enumerate() {
        *counts.get_mut(label).ok_or(SolveError::Label {
            row,
            label,
            classes,
        })? += 1;
    }
    Ok(labels.iter().map(|&y| 1.0 / f64::from(counts[y])).collect())
}
