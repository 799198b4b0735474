//! Classes with identical scores. For any border between two such classes, one class gets the samples of both, so their
//! targets can only be met together: the solver merges them into one class with their total mass.

use std::collections::HashMap;

use crate::hessian::centre;
use crate::scores::Values;
use crate::search::chi_square;
use crate::solution::largest_relative_error;
use crate::{Options, Problem, Scores, Solution, SolveError, Stop};

/// Groups of identical classes.
pub(crate) struct Twins {
    /// For each class, the index of its group, `[C]`.
    as_one: Vec<usize>,
    /// The first class of each group.
    first: Vec<usize>,
}

impl Twins {
    /// Groups the classes of `scores` with the same weights, or with the same score in every row; `None` when all
    /// classes differ.
    pub(crate) fn of(scores: &Scores<'_>) -> Option<Self> {
        let classes = scores.num_classes();
        let mut known = HashMap::new();
        let (mut as_one, mut first) = (Vec::with_capacity(classes), Vec::new());
        for class in 0..classes {
            let one = *known.entry(column(scores, class)).or_insert_with(|| {
                first.push(class);
                first.len() - 1
            });
            as_one.push(one);
        }
        (first.len() < classes).then_some(Self { as_one, first })
    }

    /// Solves for each group of twins as one class, by `solve`, and gives the group's mass to its first class.
    pub(crate) fn solve(
        &self,
        problem: &Problem<'_>,
        target: &[f64],
        options: &Options,
        solve: impl Fn(&Problem<'_>, &Options) -> Result<Solution, SolveError>,
    ) -> Result<Solution, SolveError> {
        let mut together = vec![0.0; self.first.len()];
        for (&one, nu) in self.as_one.iter().zip(target) {
            together[one] += nu;
        }
        let warm_start = options.warm_start.as_ref();
        let options = Options {
            warm_start: warm_start
                .map(|start| self.first.iter().map(|&class| start[class]).collect()),
            ..options.clone()
        };
        let values = self.values(&problem.scores);
        let scores = match problem.scores.values {
            Values::Matrix(_) => Scores::matrix(&values, self.first.len())?,
            Values::Product {
                features,
                dim,
                scale,
                ..
            } => Scores::product(features, &values, dim, scale)?,
        };
        let merged = Problem {
            scores,
            sample_weights: problem.sample_weights,
            target: &together,
        };
        let mut solution = solve(&merged, &options)?;
        let mut mass = vec![0.0; target.len()];
        for (&class, owned) in self.first.iter().zip(&solution.mass) {
            mass[class] = *owned;
        }
        let mut offsets: Vec<f64> = (self.as_one.iter())
            .map(|&one| solution.offsets[one])
            .collect();
        centre(&mut offsets);
        solution.chi_square = chi_square(&mass, target);
        solution.largest_relative_error = largest_relative_error(&mass, target);
        if solution.stop == Stop::Converged {
            solution.stop = Stop::EqualClasses;
        }
        (solution.mass, solution.offsets) = (mass, offsets);
        Ok(solution)
    }

    /// Returns the weights, or the scores, of the first class of each group.
    fn values(&self, scores: &Scores<'_>) -> Vec<f32> {
        match scores.values {
            Values::Matrix(values) => values
                .chunks_exact(scores.num_classes())
                .flat_map(|row| self.first.iter().map(|&class| row[class]))
                .collect(),
            Values::Product { weights, dim, .. } => self
                .first
                .iter()
                .flat_map(|&class| &weights[class * dim..(class + 1) * dim])
                .copied()
                .collect(),
        }
    }
}

/// Returns the bits that distinguish a class from the others.
fn column(scores: &Scores<'_>, class: usize) -> Vec<u32> {
    let bits = |value: &f32| value.to_bits();
    match scores.values {
        Values::Matrix(values) => values[class..]
            .iter()
            .step_by(scores.num_classes())
            .map(bits)
            .collect(),
        Values::Product { weights, dim, .. } => weights[class * dim..(class + 1) * dim]
            .iter()
            .map(bits)
            .collect(),
    }
}
