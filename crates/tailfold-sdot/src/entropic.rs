//! The entropic problem itself, at one temperature: no hard cells.

use crate::newton::minimise;
use crate::pass::Sample;
use crate::search::{Limits, Search, SoftPoint};
use crate::{Solution, Stop};

/// Soft chi-square at which a temperature on the way is left.
const ROUGH: f64 = 1e-2;

/// Minimises the entropic energy at `epsilon`: the mean softmax becomes the target, as closely as `limits` ask.
///
/// From `start` at once where that succeeds; else by way of the wider ones of the falling `temperatures`: scores that are
/// far apart leave few samples at a wall, and nothing tells the way to the minimum.
pub(crate) fn descend(
    sample: Sample<'_>,
    target: Vec<f64>,
    limits: Limits,
    start: &[f64],
    temperatures: &[f64],
    epsilon: f64,
) -> Solution {
    let tolerance = limits.tolerance;
    // Good hard cells are no reason to stop here.
    let never = Limits {
        tolerance: -1.0,
        ..limits
    };
    let mut search = Search::new(sample, target, never, start.to_vec());
    let reached = |point: &SoftPoint| point.chi_square <= tolerance;
    let mut point = minimise(&mut search, start, epsilon, tolerance);
    if !reached(&point) {
        let mut offsets = start.to_vec();
        for &wide in temperatures.iter().filter(|wide| **wide > epsilon) {
            offsets = minimise(&mut search, &offsets, wide, ROUGH.max(tolerance)).offsets;
        }
        point = minimise(&mut search, &offsets, epsilon, tolerance);
    }
    // A temperature's steps are counted: where they were still bringing something, there are more.
    while !reached(&point) && !search.is_over() {
        let next = minimise(&mut search, &point.offsets, epsilon, tolerance);
        if next.energy >= point.energy && next.chi_square >= point.chi_square {
            break;
        }
        point = next;
    }
    let stop = if reached(&point) {
        Stop::Converged
    } else {
        Stop::IterationLimit
    };
    Solution::soft(search, point, epsilon, stop)
}

#[cfg(test)]
mod tests;
