//! The solver: temperatures from wide to narrow, then a polish of the hard cells.

use std::fmt;

use serde::Serialize;

use crate::newton::minimise;
use crate::pass::Sample;
use crate::polish::polish;
use crate::problem::{check_offsets, normalised_target};
use crate::search::Search;
use crate::{Options, Problem, SolveError};

/// Most classes [`solve`] accepts: its matrices of `classes^2` values of 8 bytes then hold 128 MiB each.
pub const MAX_CLASSES: usize = 4096;

/// A product of at most this many scores (16 MiB) is made once a solve, not once a walk.
const MAX_KEPT_SCORES: usize = 1 << 22;
/// Soft chi-square at which a temperature that is not the last is left.
const ROUGH: f64 = 1e-2;
/// Soft chi-square below which a warm start is taken for a solution of a nearby problem.
const NEARBY: f64 = 0.5;
/// Temperature, of those that fall, at which a nearby solution is taken up.
const WARM_STAGE: usize = 2;

const WIDTHS: [f64; 2] = [4.0, 16.0];

/// Offsets and how good they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Solution {
    /// What is added to the scores, `[C]`, in score units, sum 0.
    pub offsets: Vec<f64>,
    /// Mass of each hard cell under these offsets, `[C]`, as [`cell_masses`](crate::cell_masses) gives it.
    pub mass: Vec<f64>,
    /// `sum_j (mass_j - target_j)^2 / target_j`.
    pub chi_square: f64,
    /// Largest `|mass_j - target_j| / target_j`.
    pub largest_relative_error: f64,
    /// Largest sample weight (of sum 1) divided by the smallest target mass: how much the relative error of the
    /// smallest class changes when one sample changes hands. A smaller `largest_relative_error` is luck.
    pub sample_floor: f64,
    /// Newton, log-ratio and polishing steps made.
    pub iterations: usize,
    /// Last temperature, in score units; 0 when the start was good enough and none was used.
    pub epsilon: f64,
    /// Why the solver stopped.
    pub stop: Stop,
}

/// Why the solver stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stop {
    /// The chi-square of the hard masses is within the tolerance.
    Converged,
    /// It is not, but it is at most `sum_j w^2 / target_j` for the largest sample weight `w`: each class is one such
    /// sample away from its mass, in the mean. Only more samples, or more even ones, help.
    SampleFloor,
    /// Neither: the iterations, or the steps of every temperature and of the polish, are spent. Classes that no score
    /// tells apart, and points that repeat, end here.
    IterationLimit,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged => "converged",
            Self::SampleFloor => "sample floor",
            Self::IterationLimit => "iteration limit",
        })
    }
}

/// Finds the offsets under which every class owns its target mass.
///
/// The sample's order and shape fix every bit of the answer; the number of threads does not touch it. Memory is a few
/// matrices of `C^2` values and at most 16 MiB of scores beyond a few blocks of rows.
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
    let start = match &options.warm_start {
        Some(offsets) => {
            check_offsets(offsets, classes, ["warm start values", "warm start"])?;
            offsets.clone()
        }
        None => vec![0.0; classes],
    };
    let mut sample = Sample::new(&problem.scores, MAX_KEPT_SCORES, problem.sample_weights)?;
    let spread = Some(sample.spread())
        .filter(|s| s.is_normal())
        .unwrap_or(1.0);
    let largest_weight = sample.weights.largest();
    let mut search = Search::new(
        sample,
        target,
        options.chi_square,
        options.max_iterations,
        start,
    );
    let epsilon = anneal(
        &mut search,
        &options.temperatures(spread),
        options.warm_start.is_some(),
    );
    Ok(report(search, largest_weight, epsilon))
}

/// Follows the temperatures down; returns the last one used.
fn anneal(search: &mut Search<'_>, temperatures: &[f64], warm: bool) -> f64 {
    let mut offsets = search.best.offsets.clone();
    let mut last = 0.0;
    if warm && search.best.chi_square <= NEARBY && !search.is_over() {
        last = temperatures[WARM_STAGE.min(temperatures.len() - 1)];
        polish(search, last);
    }
    let first = if warm {
        warm_stage(search, temperatures)
    } else {
        0
    };
    for (stage, &epsilon) in temperatures.iter().enumerate().skip(first) {
        if search.is_over() {
            break;
        }
        last = epsilon;
        let fine = search.tolerance / 4.0;
        let rough = if stage + 1 == temperatures.len() {
            fine
        } else {
            fine.max(ROUGH)
        };
        offsets = minimise(search, &offsets, epsilon, rough);
        if !search.is_over() && polish(search, epsilon) {
            offsets.clone_from(&search.best.offsets);
        }
    }
    for width in WIDTHS {
        if !search.is_over() {
            polish(search, last * width);
        }
    }
    last
}

/// The temperature at which a warm start is still close to the minimum.
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

fn report(search: Search<'_>, largest_weight: f64, epsilon: f64) -> Solution {
    let Search {
        best,
        target,
        tolerance,
        iterations,
        ..
    } = search;
    let floor: f64 = target.iter().map(|nu| largest_weight.powi(2) / nu).sum();
    let relative = best
        .mass
        .iter()
        .zip(&target)
        .map(|(m, nu)| (m - nu).abs() / nu);
    let smallest = target.iter().copied().fold(f64::INFINITY, f64::min);
    let stop = if best.chi_square <= tolerance {
        Stop::Converged
    } else if best.chi_square <= floor {
        Stop::SampleFloor
    } else {
        Stop::IterationLimit
    };
    Solution {
        largest_relative_error: relative.fold(0.0, f64::max),
        sample_floor: largest_weight / smallest,
        offsets: best.offsets,
        mass: best.mass,
        chi_square: best.chi_square,
        iterations,
        epsilon,
        stop,
    }
}

#[cfg(test)]
mod tests;
