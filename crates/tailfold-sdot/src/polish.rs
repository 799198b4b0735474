//! Corrections of the hard cells: steps on their masses, with the entropic Hessian for a model of how they move.

use crate::hessian::Curvature;
use crate::search::Search;

/// Steps with one model.
const MAX_STEPS: usize = 12;
/// Lengths tried for a step.
const LENGTHS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];

/// Improves the best hard cells of `search` with the curvature at `epsilon`, until they are good enough, no step helps,
/// or the iterations are spent.
pub(crate) fn polish(search: &mut Search<'_>, epsilon: f64) {
    if search.is_over() {
        return;
    }
    let offsets = search.best.offsets.clone();
    let soft = search.sample.soft_cells(&offsets, epsilon).soft;
    let Some(model) = Curvature::at(&mut search.sample, &offsets, &soft, epsilon) else {
        return;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scores;
    use crate::newton::minimise;
    use crate::testing::{cosine, search_for, skewed};

    #[test]
    fn hard_cells_follow_where_the_soft_ones_stop() {
        let (z, w) = cosine(20_000, 12, 8, 1);
        let scores = Scores::product(&z, &w, 8, 16.0).unwrap();
        let mut search = search_for(&scores, skewed(12, 0.05), 1e-4, 100, vec![0.0; 12]);
        // At so wide a temperature the minimiser of the soft masses leaves the hard ones far off.
        minimise(&mut search, &[0.0; 12], 4.0, 1e-6);
        let (before, spent) = (search.best.chi_square, search.iterations);
        assert!(before > 1e-2, "{before}");
        polish(&mut search, 4.0);
        assert!(
            search.best.chi_square <= 1e-4,
            "{} after {before}",
            search.best.chi_square
        );
        assert!(search.iterations > spent);
    }
}
