//! The entropic problem at one temperature, without hard cells.

use crate::newton::minimise;
use crate::point::SoftPoint;
use crate::search::Search;

/// Soft chi-square at which an intermediate temperature is left.
const ROUGH: f64 = 1e-2;
/// Chi-square below which rounding of the single-precision exponentials dominates.
const SINGLE: f64 = 1e-10;

/// Minimises the entropic energy of `search` at `epsilon`: the mean softmax approaches the target until its chi-square
/// is at most `tolerance` and every class is within the largest relative error. Returns the point, and whether it
/// satisfies both limits.
///
/// The search first goes directly to `epsilon`; if that fails, it passes through the higher ones of the falling
/// `temperatures`: with widely separated scores, few samples are near a boundary, and the gradient does not show the
/// way to the minimum.
pub(crate) fn descend(
    search: &mut Search<'_>,
    temperatures: &[f64],
    epsilon: f64,
    tolerance: f64,
) -> (SoftPoint, bool) {
    let start = search.best.offsets.clone();
    let reached = |search: &Search<'_>, point: &SoftPoint| {
        point.chi_square <= tolerance && search.is_close(&point.soft)
    };
    let single = tolerance.max(SINGLE);
    let mut point = minimise(search, &start, epsilon, single);
    if point.chi_square > single || !search.is_close(&point.soft) {
        let mut offsets = start;
        for &wide in temperatures.iter().filter(|wide| **wide > epsilon) {
            offsets = minimise(search, &offsets, wide, ROUGH.max(tolerance)).offsets;
        }
        point = minimise(search, &offsets, epsilon, single);
    }
    search.exact = single > tolerance && point.chi_square <= single;
    // The number of steps per temperature is limited, so the search repeats while it makes progress.
    while !reached(search, &point) && search.iterations < search.limits.max_iterations {
        let next = minimise(search, &point.offsets, epsilon, tolerance);
        if next.energy >= point.energy && next.chi_square >= point.chi_square {
            break;
        }
        point = next;
    }
    let reached = reached(search, &point);
    (point, reached)
}

#[cfg(test)]
mod tests;
