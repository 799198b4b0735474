//! The solver's entrance: checks, scales, and hands over.

use crate::anneal::anneal;
use crate::entropic::descend;
use crate::pass::Sample;
use crate::problem::{check_offsets, normalised_target};
use crate::search::{Limits, Search};
use crate::{Masses, Options, Problem, Solution, SolveError};

/// Most classes [`solve`] accepts: its matrices of `classes^2` values of 8 bytes then hold 128 MiB each.
pub const MAX_CLASSES: usize = 4096;

/// No class of a converged solution is further than this from its mass, relatively.
const LARGEST_RELATIVE: f64 = 0.5;

/// A product of at most this many scores (16 MiB) is made once a solve, not once a walk.
const MAX_KEPT_SCORES: usize = 1 << 22;

/// Finds the offsets under which every class owns its target mass.
///
/// For hard masses: Newton steps on the entropic energy at falling temperatures, each followed by corrections of the hard
/// masses; the best hard cells met on the way are the answer. For soft ones: Newton steps at their temperature, by way of
/// wider ones where they find no way. The problem fixes every bit of it, whatever the number of threads. Memory is
/// a few matrices of `C^2` values, at most 64 MiB of sums, and at most 16 MiB of scores beyond a few blocks of rows.
///
/// # Errors
/// [`SolveError`] when the problem or the options cannot be used as given. A problem that is well posed but cannot be met
/// is no error: see [`Solution::stop`].
pub fn solve(problem: &Problem<'_>, options: &Options) -> Result<Solution, SolveError> {
    let classes = problem.scores.num_classes();
    if classes > MAX_CLASSES {
        return Err(SolveError::TooManyClasses {
            classes,
            limit: MAX_CLASSES,
        });
    }
    options.validate()?;
    let target = normalised_target(problem.target, classes)?;
    let start = options
        .warm_start
        .clone()
        .unwrap_or_else(|| vec![0.0; classes]);
    check_offsets(&start, classes, ["warm start", "warm start"])?;
    let mut sample = Sample::new(&problem.scores, MAX_KEPT_SCORES, problem.sample_weights)?;
    let spread = Some(sample.spread())
        .filter(|s| s.is_normal())
        .unwrap_or(1.0);
    let largest = sample.weights.largest();
    let smallest = target.iter().copied().fold(f64::INFINITY, f64::min);
    let limits = Limits {
        // A class is within sqrt(chi_square / target) of its mass, relatively: without this a rare one would be free.
        tolerance: options.chi_square.min(smallest * LARGEST_RELATIVE.powi(2)),
        floor: target.iter().map(|nu| largest.powi(2) / nu).sum(),
        max_iterations: options.max_iterations,
    };
    if let Masses::Soft { epsilon } = options.masses {
        let temperatures = options.temperatures(spread);
        return Ok(descend(
            sample,
            target,
            limits,
            &start,
            &temperatures,
            epsilon,
        ));
    }
    let mut search = Search::new(sample, target, limits, start);
    let epsilon = anneal(
        &mut search,
        &options.temperatures(spread),
        options.warm_start.is_some(),
    );
    Ok(Solution::of(search, epsilon))
}

#[cfg(test)]
mod tests;
