//! The order of the work: temperatures from wide to narrow, with a polish of the hard cells after each.

use crate::newton::minimise;
use crate::polish::polish;
use crate::search::Search;

/// Soft chi-square at which a temperature that is not the last is left.
const ROUGH: f64 = 5e-4;
/// Chi-square below which a warm start is taken for a solution of a nearby problem.
const NEARBY: f64 = 0.5;
/// Temperature, counted from the first, at which a nearby solution is taken up.
const WARM_STAGE: usize = 2;
/// A temperature that leaves more than this part of the chi-square has gained little.
const LITTLE: f64 = 0.7;
/// Temperatures of the last polishes, in units of the last one: a wider boundary averages over more samples.
const WIDTHS: [f64; 2] = [4.0, 16.0];

/// Follows `temperatures` down until the hard cells of `search` are good enough; returns the last one used, 0 for none.
///
/// A `warm` search starts with a polish and then at the narrowest of the first temperatures at which it is still close.
pub(crate) fn anneal(search: &mut Search<'_>, temperatures: &[f64], warm: bool) -> f64 {
    let mut offsets = search.best.offsets.clone();
    let (mut last, mut first) = (0.0, 0);
    if warm && !search.is_over() {
        first = warm_stage(search, temperatures);
        if first > 0 {
            last = temperatures[first];
            polish(search, last);
            offsets.clone_from(&search.best.offsets);
        }
    }
    for (stage, &epsilon) in temperatures.iter().enumerate().skip(first) {
        if search.is_over() {
            return last;
        }
        last = epsilon;
        let before = search.best.chi_square;
        let fine = search.limits.tolerance / 4.0;
        let is_last = stage + 1 == temperatures.len();
        offsets = minimise(
            search,
            &offsets,
            epsilon,
            if is_last { fine } else { fine.max(ROUGH) },
        )
        .offsets;
        polish(search, epsilon);
        // Narrower boundaries hold fewer samples: what is left is the sample's, not the temperature's.
        if search.best.chi_square <= search.limits.floor && search.best.chi_square > before * LITTLE
        {
            break;
        }
    }
    for width in WIDTHS {
        if !search.is_over() {
            polish(search, last * width);
        }
    }
    last
}

/// The narrowest of the first temperatures at which the start is close to the minimum; 0 when none is.
fn warm_stage(search: &mut Search<'_>, temperatures: &[f64]) -> usize {
    let offsets = search.best.offsets.clone();
    let still = vec![0.0; offsets.len()];
    let near = |stage: &usize| {
        search
            .soft_point(&offsets, &still, 0.0, temperatures[*stage])
            .chi_square
            <= NEARBY
    };
    (1..=WARM_STAGE.min(temperatures.len() - 1))
        .rev()
        .find(near)
        .unwrap_or(0)
}
