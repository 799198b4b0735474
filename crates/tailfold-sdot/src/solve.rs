//! The solver's entrance: checks, scales, and hands over.

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

/// A product of at most this many scores (16 MiB) is made once a solve, not once a walk.
const MAX_KEPT_SCORES: usize = 1 << 22;

/// Rows that tell how far a row's scores are apart, about.
const SPREAD_ROWS: usize = 1024;

/// Finds the offsets under which every class owns its target mass.
///
/// For hard masses: Newton steps on the entropic energy at falling temperatures, each followed by corrections of the hard
/// masses; the best hard cells met on the way are the answer. For soft ones: Newton steps at their temperature, by way of
/// wider ones where they find no way. Either begins with a part of the sample, and asks all of it for the last steps alone.
/// [`Options::method`] says how a step is made. The problem fixes every bit of the answer, whatever the number of threads.
///
/// Memory, beyond the problem: 16 blocks of scores of about half a MiB (64 rows, with many classes), at most 16 MiB of
/// scores, and by the method at most 32 MiB of `[C, C]` sums or 256 MiB of probabilities.
///
/// # Errors
/// [`SolveError`] when the problem or the options cannot be used as given. A problem that is well posed but cannot be met
/// is no error: see [`Solution::stop`].
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
    // Soft masses of equal classes are told apart by their offsets.
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

/// A problem that was checked.
struct Task<'a> {
    problem: &'a Problem<'a>,
    options: &'a Options,
    target: Vec<f64>,
    weights: SampleWeights,
    method: Method,
}

/// What the levels so far have found and spent.
struct Way {
    offsets: Vec<f64>,
    known: Start,
    /// Empty before the first level, whose scores they are in units of.
    temperatures: Vec<f64>,
    iterations: usize,
    walked: u64,
    trace: Vec<TracePoint>,
}

impl Way {
    /// Goes on from `offsets`, which `search` ended at.
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

    /// The strides of the levels before the last. A start that is known is near the solution of all rows already.
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

    /// Minimises the entropic energy of every `stride`-th row; says whether it is good enough.
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

    /// A search on every `stride`-th row, from where the way has led.
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

    /// The rows `first`, `first + stride` and so on.
    fn batch(&self, first: usize, stride: usize) -> Sample<'a> {
        let scores = self.problem.scores.skip(first);
        Sample::every(stride, &scores, 0, self.weights.skip(first))
    }

    /// The temperatures of the way, in units of the spread of some rows' scores.
    fn temperatures(&self) -> Vec<f64> {
        let stride = (self.problem.scores.rows() / SPREAD_ROWS).max(1);
        let spread = self.batch(0, stride).spread();
        self.options
            .temperatures(if spread.is_normal() { spread } else { 1.0 })
    }
}

#[cfg(test)]
mod tests;
