//! Offsets for a prior, from labelled samples.

use crate::{Masses, Options, Problem, Scores, Solution, SolveError, Weighing, solve};

/// The definition of a class's mass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MassMeasure {
    /// Weighting of the samples of a class.
    pub weighing: Weighing,
    /// Temperature, in score units, of the softmax whose mean over the samples is the mass. At 0, the mass is the share
    /// of samples with the class as top-1.
    pub temperature: f64,
}

impl MassMeasure {
    /// The share of samples with the class as top-1.
    pub const CELLS: Self = Self {
        weighing: Weighing::Prior,
        temperature: 0.0,
    };
    /// The mean probability of a network that was trained with a softmax.
    pub const PROBABILITIES: Self = Self {
        temperature: 1.0,
        ..Self::CELLS
    };
}

/// Offsets solved for a prior.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resolved {
    /// The offsets, and how well they match the prior.
    pub solution: Solution,
    /// Weight of each sample, `[n]`, of any sum.
    pub weights: Vec<f64>,
}

/// Chi-square of soft masses that is good enough. Probabilities can match a prior to any accuracy in a few more steps,
/// but counts of samples cannot.
const SOFT_CHI_SQUARE: f64 = 1e-8;

/// Finds the offsets that give every class its mass of `prior` `[C]` on samples with `scores` and `labels` `[n]`.
///
/// # Errors
/// The errors of [`solve`], and [`SolveErrorKind::Label`](crate::SolveErrorKind::Label) when a label is not below `C`.
pub fn solve_for_prior(
    scores: Scores<'_>,
    labels: &[usize],
    prior: &[f64],
    measure: MassMeasure,
) -> Result<Resolved, SolveError> {
    let weights = measure.weighing.weights(labels, prior)?;
    let problem = Problem {
        scores,
        sample_weights: Some(&weights),
        target: prior,
    };
    let mut options = Options::default();
    if measure.temperature > 0.0 {
        options.masses = Masses::Soft {
            epsilon: measure.temperature,
        };
        options.chi_square = SOFT_CHI_SQUARE;
    }
    let solution = solve(&problem, &options)?;
    Ok(Resolved { solution, weights })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AffineHead, cell_masses, sphere_samples};

    /// Returns points of the plane, each with the class of its largest coordinate.
    fn labelled(count: usize) -> (Vec<f32>, Vec<usize>) {
        let points = sphere_samples(count, 2, 9);
        let labels = points.chunks_exact(2).map(|z| usize::from(z[1] > z[0]));
        let labels = labels.collect();
        (points, labels)
    }

    #[test]
    fn classes_get_their_hard_and_soft_masses() {
        let (points, labels) = labelled(4_000);
        let weights = [3.0, 0.5, 0.0, 2.0];
        let scores = || Scores::product(&points, &weights, 2, 1.0).unwrap();
        let prior = [0.8, 0.2];
        let hard = solve_for_prior(scores(), &labels, &prior, MassMeasure::CELLS).unwrap();
        let mass = cell_masses(&scores(), Some(&hard.weights), &hard.solution.offsets).unwrap();
        assert!((mass[0] - 0.8).abs() < 0.01, "{mass:?}");
        let soft = MassMeasure::PROBABILITIES;
        let soft = solve_for_prior(scores(), &labels, &prior, soft).unwrap();
        assert!(soft.solution.chi_square <= SOFT_CHI_SQUARE);
        assert!(
            (soft.solution.mass[0] - 0.8).abs() < 1e-3,
            "{:?}",
            soft.solution.mass
        );
    }

    #[test]
    fn head_and_its_scores_resolve_to_same_bits() {
        let (points, labels) = labelled(1_000);
        let weights = [3.0, 0.5, 0.0, 2.0];
        let head = AffineHead::new(&weights, &[0.0; 2], 2).unwrap();
        let prior = [0.6, 0.4];
        let of_head = head.resolve(&points, &labels, &prior, MassMeasure::CELLS);
        let of_head = of_head.unwrap().solution.offsets;
        let balanced = Weighing::Prior.weights(&labels, &prior).unwrap();
        let options = Options::default();
        let solved = head.solve(&points, Some(&balanced), &prior, &options);
        assert_eq!(of_head, solved.unwrap().offsets);
    }
}
