//! Corrections of the hard cells: steps on their masses, with the entropic Hessian as the model of their movement.

use crate::curvature::Curvature;
use crate::point::SoftPoint;
use crate::search::Search;
use crate::settle::settle;

/// Largest number of steps with one model.
const MAX_STEPS: usize = 12;
/// A step that leaves more than this fraction of the chi-square has gained little: the rest is in classes of few
/// samples.
const LITTLE: f64 = 0.8;
/// Number of lengths tried for a step.
const MAX_TRIES: usize = 4;
/// Smallest and largest ratio of a step's length to the length before.
const CHANGE: [f64; 2] = [0.2, 2.0];
/// Chi-square up to which samples are counted, in units of the requested chi-square or of the chi-square that the
/// sample allows.
const NEAR: f64 = 16.0;
/// Smallest and largest step length.
const LENGTHS: [f64; 2] = [1.0 / 64.0, 1.0];

/// Improves the best hard cells of `search` with the curvature at `epsilon`, until they are good enough, no step helps,
/// or the iterations are used up. `point` is a soft point at `epsilon`; its curvature is used if the best cells belong
/// to it.
pub(crate) fn polish(search: &mut Search<'_>, epsilon: f64, point: Option<SoftPoint>) {
    if search.is_over() {
        return;
    }
    let at_best = point.filter(|point| point.offsets == search.best.offsets);
    let mut point = at_best.unwrap_or_else(|| search.soft_best(epsilon));
    if let Some(model) = search.curvature(&mut point) {
        correct(search, epsilon, &model);
    }
}

/// Makes the steps of [`polish`] with a `model` of the curvature at `epsilon`.
pub(crate) fn correct(search: &mut Search<'_>, epsilon: f64, model: &Curvature) {
    let mut length = 1.0;
    for _ in 0..MAX_STEPS {
        // If the chi-square is good, only classes of few samples are left.
        if search.is_over() || search.limits.allow(search.best.chi_square) {
            break;
        }
        search.iterations += 1;
        let start = search.best.clone();
        let residual = minus(&start.mass, &search.target);
        let Some(step) = search.step(model, &residual) else {
            break;
        };
        let mut helps = false;
        let before = start.chi_square;
        for _ in 0..MAX_TRIES {
            let (mass, better) = search.try_hard(&start.offsets, &step, length);
            let change = minus(&mass, &start.mass);
            let shorter = CHANGE[0].max(best_part(&residual, &change, &search.target));
            let next = (length * shorter.min(CHANGE[1])).clamp(LENGTHS[0], LENGTHS[1]);
            helps = better;
            // A step that does not help is too long, regardless of its residual.
            length = if better { next } else { next.min(length / 2.0) };
            if better {
                break;
            }
        }
        if !helps || search.best.chi_square > before * LITTLE {
            break;
        }
    }
    // If a class lacks many samples, counting them is not worthwhile.
    let limits = search.limits;
    if search.best.chi_square <= NEAR * limits.tolerance.unwrap_or(0.0).max(limits.floor) {
        settle(search, epsilon);
    }
}

/// Returns the part of a step with the least chi-square if the masses change in proportion, by `change` over the whole
/// step.
fn best_part(residual: &[f64], change: &[f64], target: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .zip(target)
            .map(|((a, b), nu)| a * b / nu)
            .sum()
    };
    let part = -product(residual, change) / product(change, change);
    // A step that changes nothing is not too long.
    if part.is_finite() { part } else { 1.0 }
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scores;
    use crate::newton::minimise;
    use crate::testing::{cosine, search_for, skewed};

    #[test]
    fn polish_improves_hard_cells_beyond_soft_minimum() {
        let (z, w) = cosine(20_000, 12, 8, 1);
        let scores = Scores::product(&z, &w, 8, 16.0).unwrap();
        let mut search = search_for(&scores, skewed(12, 0.05), 1e-4, 100, vec![0.0; 12]);
        // At such a high temperature the minimiser of the soft masses leaves the hard masses far off.
        minimise(&mut search, &[0.0; 12], 4.0, 1e-6);
        let (before, spent) = (search.best.chi_square, search.iterations);
        assert!(before > 1e-2, "{before}");
        polish(&mut search, 4.0, None);
        assert!(
            search.best.chi_square <= 1e-4,
            "{} after {before}",
            search.best.chi_square
        );
        assert!(search.iterations > spent);
    }
}
