//! The entropic problem itself, at one temperature: no annealing, no hard cells.

use crate::newton::minimise;
use crate::pass::Sample;
use crate::search::{Limits, Search};
use crate::{Solution, Stop};

/// Minimises the entropic energy at `epsilon`: the mean softmax becomes the target, as closely as `limits` ask.
pub(crate) fn descend(
    sample: Sample<'_>,
    target: Vec<f64>,
    limits: Limits,
    start: Vec<f64>,
    epsilon: f64,
) -> Solution {
    let tolerance = limits.tolerance;
    // Good hard cells are no reason to stop here, and one sample's weight bounds no soft mass from below.
    let never = Limits {
        tolerance: -1.0,
        floor: 0.0,
        ..limits
    };
    let mut search = Search::new(sample, target, never, start.clone());
    let (mut offsets, mut best) = (start, f64::INFINITY);
    loop {
        let point = minimise(&mut search, &offsets, epsilon, tolerance);
        let reached = point.chi_square <= tolerance;
        // A temperature's steps are counted: where they were still bringing something, there are more.
        if reached || point.chi_square >= best || search.is_over() {
            let stop = if reached {
                Stop::Converged
            } else {
                Stop::IterationLimit
            };
            return Solution::soft(search, point, epsilon, stop);
        }
        (offsets, best) = (point.offsets, point.chi_square);
    }
}

#[cfg(test)]
mod tests;
