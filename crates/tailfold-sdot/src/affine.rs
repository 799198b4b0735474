//! A classifier's last layer as a transport problem: the cells of `W z + b` under weighted features.

use crate::{
    MassMeasure, Options, Problem, Resolved, Scores, Solution, SolveError, SolveErrorKind, solve,
    solve_for_prior,
};

/// Weights `[C, d]` and bias `[C]` of the layer that computes the raw scores.
#[derive(Clone, Debug)]
pub struct AffineHead {
    /// `[C, d + 1]`: each row is followed by its bias.
    rows: Vec<f32>,
    dim: usize,
}

impl AffineHead {
    /// Creates a head with `weights` `[C, d]` and `bias` `[C]`, both row-major in label order.
    ///
    /// # Errors
    /// [`SolveErrorKind::Length`] when `weights` is not `C` rows of `d` values.
    pub fn new(weights: &[f32], bias: &[f32], dim: usize) -> Result<Self, SolveError> {
        if dim == 0 || weights.len() != bias.len() * dim {
            return Err(SolveErrorKind::Length.error(format!(
                "head weights have {found} values, expected {expected}",
                found = weights.len(),
                expected = bias.len() * dim
            )));
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

    /// Finds the offsets that give the cells the masses `target` `[C]` under features `[n, d]` with weights `[n]`
    /// (`None` means equal weights).
    ///
    /// # Errors
    /// The errors of [`solve`], and [`SolveErrorKind::Length`] when `features` does not have whole rows.
    pub fn solve(
        &self,
        features: &[f32],
        sample_weights: Option<&[f64]>,
        target: &[f64],
        options: &Options,
    ) -> Result<Solution, SolveError> {
        let points = self.points(features)?;
        let problem = Problem {
            scores: self.scores(&points)?,
            sample_weights,
            target,
        };
        solve(&problem, options)
    }

    /// Finds the offsets that give every class its mass of `prior` `[C]` under features `[n, d]` with `labels` `[n]`;
    /// see [`solve_for_prior`].
    ///
    /// # Errors
    /// The errors of [`solve_for_prior`], and [`SolveErrorKind::Length`] when `features` does not have whole rows.
    pub fn resolve(
        &self,
        features: &[f32],
        labels: &[usize],
        prior: &[f64],
        measure: MassMeasure,
    ) -> Result<Resolved, SolveError> {
        let points = self.points(features)?;
        solve_for_prior(self.scores(&points)?, labels, prior, measure)
    }

    /// Returns the features `[n, d]`, each followed by the factor of the bias, as `[n, d + 1]`.
    fn points(&self, features: &[f32]) -> Result<Vec<f32>, SolveError> {
        if !features.len().is_multiple_of(self.dim) {
            let expected = features.len().div_ceil(self.dim) * self.dim;
            return Err(SolveErrorKind::Length.error(format!(
                "features have {found} values, expected {expected}",
                found = features.len()
            )));
        }
        let one = [1.0_f32];
        let rows = features.chunks_exact(self.dim);
        let points = rows.flat_map(|z| z.iter().chain(&one)).copied();
        Ok(points.collect())
    }

    fn scores<'a>(&'a self, points: &'a [f32]) -> Result<Scores<'a>, SolveError> {
        Scores::product(points, &self.rows, self.dim + 1, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell_masses, sphere_samples};

    #[expect(clippy::cast_possible_truncation, reason = "offsets of a few logits")]
    #[test]
    fn bias_is_part_of_scores() {
        // Three classes in the plane. If the bias is already the solution for some target, no offsets are needed for
        // it.
        let weights = [4.0, 0.0, -2.0, 3.0, -1.0, -4.0];
        let points = sphere_samples(20_000, 2, 5);
        let plain = AffineHead::new(&weights, &[0.0; 3], 2).unwrap();
        let target = [0.6, 0.3, 0.1];
        let closely = Options {
            chi_square: 1e-6,
            ..Options::default()
        };
        let solution = plain.solve(&points, None, &target, &closely).unwrap();
        let bias: Vec<f32> = solution.offsets.iter().map(|&h| h as f32).collect();
        let solved = AffineHead::new(&weights, &bias, 2).unwrap();
        let again = solved.solve(&points, None, &target, &closely).unwrap();
        assert!(again.chi_square < 1e-6, "{}", again.chi_square);
        assert!(
            again.offsets.iter().all(|h| h.abs() < 0.1),
            "{:?}",
            again.offsets
        );
        let scores = Scores::product(&points, &weights, 2, 1.0).unwrap();
        let mass = cell_masses(&scores, None, &solution.offsets).unwrap();
        assert!(
            mass.iter().zip(target).all(|(m, t)| (m - t).abs() < 0.01),
            "{mass:?}"
        );
    }

    #[test]
    fn wrong_lengths_are_named() {
        let message = |e: SolveError| e.to_string();
        let error = AffineHead::new(&[1.0; 5], &[0.0; 3], 2).unwrap_err();
        assert_eq!(message(error), "head weights have 5 values, expected 6");
        let head = AffineHead::new(&[1.0; 6], &[0.0; 3], 2).unwrap();
        let error = head
            .solve(&[1.0; 5], None, &[0.5, 0.25, 0.25], &Options::default())
            .unwrap_err();
        assert_eq!(message(error), "features have 5 values, expected 6");
    }
}
