//! The result of the solver, and the reason why it stopped.

use std::fmt;

use crate::point::SoftPoint;
use crate::search::Search;
use crate::{Method, TracePoint};

/// Offsets and their accuracy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Solution {
    /// Offsets to add to the scores, `[C]`, in score units, sum 0.
    pub offsets: Vec<f64>,
    /// Mass of each hard cell under these offsets, `[C]`, equal to [`cell_masses`](crate::cell_masses); the mean
    /// softmax if soft masses were requested.
    pub mass: Vec<f64>,
    /// `sum_j (mass_j - target_j)^2 / target_j`.
    pub chi_square: f64,
    /// Largest `|mass_j - target_j| / target_j`.
    pub largest_relative_error: f64,
    /// Largest sample weight (of sum 1) divided by the smallest target mass: the change of the smallest class's
    /// relative error when one sample changes class. For hard masses, a smaller `largest_relative_error` is luck; soft
    /// masses use fractions of a sample and can be more accurate.
    pub sample_floor: f64,
    /// Number of Newton, log-ratio and polishing steps.
    pub iterations: usize,
    /// Number of rows of the sample visited in all steps.
    pub rows: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The method that was used.
    pub method: Method,
    /// Last temperature, in score units, which is the temperature of the soft masses if they were requested; 0 when the
    /// start was good enough.
    pub epsilon: f64,
    /// Chi-square of the hard cells during the solve, on the rows of each level.
    pub trace: Vec<TracePoint>,
    /// Reason why the solver stopped.
    pub stop: Stop,
}

/// The reason why the solver stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The chi-square of the masses is within the tolerance, and every class is within the largest relative error, or
    /// within one sample if that is more.
    Converged,
    /// The tolerance is not met, but the chi-square is at most `sum_j w^2 / target_j` for the largest sample weight
    /// `w`: on average a class is one such sample away from its mass. Only more samples, or more even weights, help.
    SampleFloor,
    /// Some classes have identical scores. Such classes together have their target mass, and all other classes meet the
    /// limits of [`Converged`](Self::Converged); the first of the identical classes has the mass of all of them under
    /// any offsets.
    EqualClasses,
    /// The target is not met, and the iterations, or the steps of every temperature and of the polish, are used up.
    /// Problems with repeated points end here.
    IterationLimit,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged => "converged",
            Self::SampleFloor => "sample floor",
            Self::EqualClasses => "equal classes",
            Self::IterationLimit => "iteration limit",
        })
    }
}

impl Solution {
    /// The best cells of a search that ended at the temperature `epsilon`.
    pub(crate) fn of(search: Search<'_>, epsilon: f64) -> Self {
        let met = search.is_met(&search.best.mass);
        let rows = search.walked();
        let Search {
            method,
            trace,
            best,
            target,
            limits,
            iterations,
            sample,
            ..
        } = search;
        let stop = if met {
            Stop::Converged
        } else if best.chi_square <= limits.floor {
            Stop::SampleFloor
        } else {
            Stop::IterationLimit
        };
        Self {
            largest_relative_error: largest_relative_error(&best.mass, &target),
            sample_floor: sample.largest_weight() / smallest(&target),
            offsets: best.offsets,
            mass: best.mass,
            chi_square: best.chi_square,
            iterations,
            rows,
            seconds: 0.0,
            method,
            epsilon,
            trace,
            stop,
        }
    }

    /// The final point of a search for soft masses; `reached` tells whether it is good enough.
    pub(crate) fn soft(search: Search<'_>, point: SoftPoint, reached: bool) -> Self {
        Self {
            largest_relative_error: largest_relative_error(&point.soft, &search.target),
            sample_floor: search.sample.largest_weight() / smallest(&search.target),
            offsets: point.offsets,
            mass: point.soft,
            chi_square: point.chi_square,
            iterations: search.iterations,
            rows: search.walked(),
            seconds: 0.0,
            method: search.method,
            epsilon: point.epsilon,
            trace: search.trace,
            stop: if reached {
                Stop::Converged
            } else {
                Stop::IterationLimit
            },
        }
    }
}

pub(crate) fn largest_relative_error(mass: &[f64], target: &[f64]) -> f64 {
    mass.iter()
        .zip(target)
        .map(|(m, nu)| (m - nu).abs() / nu)
        .fold(0.0, f64::max)
}

fn smallest(target: &[f64]) -> f64 {
    target.iter().copied().fold(f64::INFINITY, f64::min)
}
