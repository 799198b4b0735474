//! Corrections of the hard cells: steps on their masses, with the entropic Hessian for a model of how they move.

use crate::hessian::Curvature;
use crate::search::Search;

/// Steps with one model.
const MAX_STEPS: usize = 12;
/// Lengths tried for a step.
const LENGTHS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];

/// Improves the best hard cells of `search` with the curvature at `epsilon`, until they are good enough, no step helps,
/// or the iterations are spent; true when they are better than before.
pub(crate) fn polish(search: &mut Search<'_>, epsilon: f64) -> bool {
    let before = search.best.chi_square;
    let offsets = search.best.offsets.clone();
    let soft = search.sample.soft_cells(&offsets, epsilon).soft;
    let Some(model) = Curvature::at(&mut search.sample, &offsets, &soft, epsilon) else {
        return false;
    };
    for _ in 0..MAX_STEPS {
        if search.is_over() {
            break;
        }
        search.iterations += 1;
        let start = search.best.offsets.clone();
        let residual: Vec<f64> = search
            .best
            .mass
            .iter()
            .zip(&search.target)
            .map(|(m, nu)| m - nu)
            .collect();
        let Some(step) = model.step(&residual) else {
            break;
        };
        if !LENGTHS
            .iter()
            .any(|&length| search.try_hard(&start, &step, length))
        {
            break;
        }
    }
    search.best.chi_square < before
}
