//! The entry point of the solver: checks the problem, sets the scale, and starts the search.

use std::time::Instant;

use crate::anneal::{Start, anneal, approach};
use crate::averaged;
use crate::entropic::descend;
use crate::levels;
use crate::pass::Sample;
use crate::point::SoftPoint;
use crate::problem::{SampleWeights, check_offsets, normalised_target};
use crate::search::{Limits, Search};
use crate::twins::Twins;
use crate::walker::Walker;
use crate::{Masses, Method, Options, Problem, Solution, SolveError, TracePoint};

/// A product of at most this many scores (16 MiB) is computed once per solve, not once per pass.
const MAX_KEPT_SCORES: usize = 1 << 22;

/// Approximate number of rows for the estimate of a row's spread of scores.
const SPREAD_ROWS: usize = 1024;

/// Finds the offsets under which every class has its target mass.
///
/// Hard masses: Newton steps on the entropic energy at falling temperatures, each followed by corrections of the hard
/// masses; the result is the best hard cells of the search. Soft masses: Newton steps at the requested temperature,
/// through higher ones if the direct way fails. Both start with a part of the sample and use the whole sample only for
/// the last steps. [`Options::method`] selects the method of the steps. The result is bit-equal on any number of
/// threads.
///
/// Memory in addition to the problem: 16 blocks of scores of about half a MiB (64 rows if there are many classes), at
/// most 16 MiB of scores, and depending on the method at most 32 MiB of `[C, C]` sums or 256 MiB of probabilities.
///
/// # Errors
/// [`SolveError`] when the problem or the options are invalid. A well-posed problem whose target cannot be met is not
/// an error; see [`Solution::stop`].
pub fn solve(problem: &Problem<'_>, options: &Options) -> Result<Solution, SolveError> {
    let begin = Instant::now();
    let classes = problem.scores.num_classes();
    let method = options.method.resolved(problem.scores.rows(), classes)?;
    options.validate()?;
    let target = normalised_target(problem.target, classes)?;
    let (offsets, known) = match &options.warm_start {
        Some(offsets) => (offsets.clone(), Start::Warm),
        None => (vec![0.0; classes], Start::Cold),
    };
    check_offsets(&offsets, classes, ["warm start", "warm start"])?;
    let way = Way {
        offsets,
        known,
        temperatures: Vec::new(),
        iterations: 0,
        walked: 0,
        trace: Vec::new(),
    };
    let weights = SampleWeights::new(problem.sample_weights, problem.scores.rows())?;
    // Offsets can give equal classes any soft masses, so only hard masses need the merge.
    if options.masses == Masses::Hard
        && let Some(twins) = Twins::of(&problem.scores)
    {
        return twins.solve(problem, &target, options, solve);
    }
    let task = Task {
        problem,
        options,
        target,
        weights,
        method,
    };
    let mut solution = match options.masses {
        Masses::Hard => task.hard(way),
        Masses::Soft { epsilon } => task.soft(way, epsilon),
    };
    solution.seconds = begin.elapsed().as_secs_f64();
    Ok(solution)
}

/// A checked problem.
struct Task<'a> {
    problem: &'a Problem<'a>,
    options: &'a Options,
    target: Vec<f64>,
    weights: SampleWeights,
    method: Method,
}

/// The state that is passed from level to level.
struct Way {
    offsets: Vec<f64>,
    known: Start,
    /// Temperatures of the schedule; empty before the first level, whose scores determine their unit.
    temperatures: Vec<f64>,
    iterations: usize,
    walked: u64,
    trace: Vec<TracePoint>,
}

impl Way {
    /// Continues from `offsets`, the result of `search`.
    fn after(&mut self, search: Search<'_>, known: Start, offsets: Vec<f64>) {
        self.known = known;
        self.walked = search.walked();
        self.iterations = search.iterations;
        self.trace = search.trace;
        self.offsets = offsets;
    }
}

impl<'a> Task<'a> {
    fn hard(&self, mut way: Way) -> Solution {
        if self.method == Method::Averaged && way.known == Start::Cold {
            let rows = self.problem.scores.rows();
            let batch = |first, stride| self.batch(first, stride);
            let (offsets, known, walked) =
                averaged::descend(&self.target, &way.offsets, rows, batch);
            (way.offsets, way.known, way.walked) = (offsets, known, walked);
        }
        let levels = self.coarse(&way);
        for stride in levels {
            let mut search = self.search(&mut way, stride);
            let stage = approach(&mut search, &way.temperatures, way.known.stage());
            let offsets = search.best.offsets.clone();
            way.after(search, Start::Coarse(stage), offsets);
        }
        let mut search = self.search(&mut way, 1);
        let stage = anneal(&mut search, &way.temperatures, way.known);
        Solution::of(search, stage.map_or(0.0, |stage| way.temperatures[stage]))
    }

    /// Returns the strides of the levels before the last. A known start is already near the solution of all rows.
    fn coarse(&self, way: &Way) -> Vec<usize> {
        let (rows, classes) = (self.problem.scores.rows(), self.target.len());
        let mut strides = levels::strides(rows, classes);
        strides.retain(|&stride| stride > 1 && way.known == Start::Cold);
        strides
    }

    fn soft(&self, mut way: Way, epsilon: f64) -> Solution {
        for stride in self.coarse(&way) {
            let (search, point, _) = self.soft_level(&mut way, stride, epsilon);
            way.after(search, Start::Coarse(0), point.offsets);
        }
        let (search, point, reached) = self.soft_level(&mut way, 1, epsilon);
        Solution::soft(search, point, reached)
    }

    /// Minimises the entropic energy of every `stride`-th row; also returns whether the point is good enough.
    fn soft_level(
        &self,
        way: &mut Way,
        stride: usize,
        epsilon: f64,
    ) -> (Search<'a>, SoftPoint, bool) {
        let mut search = self.search(way, stride);
        let tolerance = search.limits.for_soft_masses();
        let (point, reached) = descend(&mut search, &way.temperatures, epsilon, tolerance);
        (search, point, reached)
    }

    /// Starts a search on every `stride`-th row from the current state.
    fn search(&self, way: &mut Way, stride: usize) -> Search<'a> {
        let sample = self.sample(stride);
        if way.temperatures.is_empty() {
            way.temperatures = self.temperatures();
        }
        let (largest, options) = (sample.weights.largest(), self.options);
        let whole = stride == 1;
        let coarse = if whole {
            0.0
        } else {
            levels::tolerance(sample.rows(), self.target.len())
        };
        let mut limits = Limits::new(&self.target, largest, options);
        limits.tolerance = limits.tolerance.map(|enough| enough.max(coarse));
        if !whole {
            limits.grain = f64::INFINITY;
        }
        let offsets = std::mem::take(&mut way.offsets);
        let sample = Walker::Here(sample);
        let mut search = Search::new(sample, self.target.clone(), limits, self.method, offsets);
        search.iterations = way.iterations;
        search.set_spread(&way.temperatures, options);
        search.trace = std::mem::take(&mut way.trace);
        search.walked_before = way.walked;
        search
    }

    fn sample(&self, stride: usize) -> Sample<'a> {
        let weights = self.weights.clone();
        Sample::every(stride, &self.problem.scores, MAX_KEPT_SCORES, weights)
    }

    /// Returns the rows `first`, `first + stride` and so on.
    fn batch(&self, first: usize, stride: usize) -> Sample<'a> {
        let scores = self.problem.scores.skip(first);
        Sample::every(stride, &scores, 0, self.weights.skip(first))
    }

    /// Returns the temperatures of the schedule, in units of the spread of some rows' scores.
    fn temperatures(&self) -> Vec<f64> {
        let stride = (self.problem.scores.rows() / SPREAD_ROWS).max(1);
        let spread = self.batch(0, stride).spread();
        self.options
            .temperatures(if spread.is_normal() { spread } else { 1.0 })
    }
}

#[cfg(test)]
mod tests;
