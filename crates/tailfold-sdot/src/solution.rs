//! The answer of the solver, and why it is the last one.

use std::fmt;

use crate::point::SoftPoint;
use crate::search::Search;
use crate::{Method, TracePoint};

/// Offsets and how good they are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Solution {
    /// What is added to the scores, `[C]`, in score units, sum 0.
    pub offsets: Vec<f64>,
    /// Mass of each hard cell under these offsets, `[C]`, as [`cell_masses`](crate::cell_masses) gives it; the mean softmax
    /// when soft masses were asked for.
    pub mass: Vec<f64>,
    /// `sum_j (mass_j - target_j)^2 / target_j`.
    pub chi_square: f64,
    /// Largest `|mass_j - target_j| / target_j`.
    pub largest_relative_error: f64,
    /// Largest sample weight (of sum 1) divided by the smallest target mass: how much the relative error of the
    /// smallest class changes when one sample changes hands. A smaller `largest_relative_error` is luck, but for soft
    /// masses, of which a sample gives a share.
    pub sample_floor: f64,
    /// Newton, log-ratio and polishing steps made.
    pub iterations: usize,
    /// Rows of the sample that were walked over, for all of them.
    pub rows: u64,
    /// Wall time.
    pub seconds: f64,
    /// Which method it was.
    pub method: Method,
    /// Last temperature, in score units, that of the soft masses when they were asked for; 0 when the start was good
    /// enough and none was used.
    pub epsilon: f64,
    /// The hard cells' chi-square on the way, of each level's own rows.
    pub trace: Vec<TracePoint>,
    /// Why the solver stopped.
    pub stop: Stop,
}

/// Why the solver stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The chi-square of the masses is within the tolerance, and so is the largest relative error, or one sample.
    Converged,
    /// It is not, but it is at most `sum_j w^2 / target_j` for the largest sample weight `w`: on average a class is one
    /// such sample away from its mass. Only more samples, or more even ones, help.
    SampleFloor,
    /// Classes that no score tells apart own together what they shall, and so do the others, as in
    /// [`Converged`](Self::Converged); the first of such classes has the mass of all of them, whatever the offsets.
    EqualClasses,
    /// Neither: the iterations, or the steps of every temperature and of the polish, are spent. Points
    /// that repeat end here.
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

    /// The point that a search for soft masses ended at, and whether it is good enough.
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
