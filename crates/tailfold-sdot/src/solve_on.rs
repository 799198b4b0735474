//! The solver for a sample on another device.

use std::time::Instant;

use crate::anneal::{Start, anneal};
use crate::entropic::descend;
use crate::problem::{check_offsets, normalised_target};
use crate::search::{Limits, Search};
use crate::walker::Walker;
use crate::{DeviceSample, Masses, Method, Options, Solution, SolveError, SolveErrorKind};

/// Smallest chi-square that can be requested from masses in single precision.
const LEAST: f64 = 1e-8;

/// Like [`solve`](crate::solve) for a sample on a device: the same steps, always with [`Method::Newton`].
///
/// The last corrections, which need single samples, and the search for equal classes are omitted: a class of a few
/// samples may stay off by one. Otherwise the masses are as accurate as with `solve`, on the device's scores.
///
/// # Errors
/// The errors of [`solve`](crate::solve); [`SolveErrorKind::TooManyClasses`] for more than
/// [`MAX_NEWTON_CLASSES`](crate::MAX_NEWTON_CLASSES); [`SolveErrorKind::Setting`] for a chi-square below 1e-8;
/// [`SolveErrorKind::Device`] with the device's message, or when the device's scores are not finite.
pub fn solve_on(
    sample: &mut dyn DeviceSample,
    target: &[f64],
    options: &Options,
) -> Result<Solution, SolveError> {
    let begin = Instant::now();
    let classes = sample.num_classes();
    let method = Method::Newton.resolved(sample.rows(), classes)?;
    options.validate()?;
    if options.chi_square < LEAST {
        return Err(SolveErrorKind::Setting.error(format!(
            "chi_square is {value}, expected 1e-8 or more on a device",
            value = options.chi_square
        )));
    }
    let target = normalised_target(target, classes)?;
    let (offsets, start) = match &options.warm_start {
        Some(offsets) => (offsets.clone(), Start::Warm),
        None => (vec![0.0; classes], Start::Cold),
    };
    check_offsets(&offsets, classes, ["warm start", "warm start"])?;
    if sample.rows() == 0 {
        return Err(SolveErrorKind::Empty.error("the sample is empty"));
    }
    let mut walker = Walker::there(sample);
    let spread = walker.spread();
    if let Some(failure) = walker.failure() {
        return Err(SolveErrorKind::Device.error(format!("the device of the sample: {failure}")));
    }
    if !spread.is_finite() {
        return Err(SolveErrorKind::Device.error(format!(
            "the device of the sample: the scores are not finite, they spread by {spread}"
        )));
    }
    let temperatures = options.temperatures(if spread.is_normal() { spread } else { 1.0 });
    let limits = Limits::new(&target, walker.largest_weight(), options);
    let mut search = Search::new(walker, target, limits, method, offsets);
    search.set_spread(&temperatures, options);
    let (failure, mut solution) = match options.masses {
        Masses::Hard => {
            let stage = anneal(&mut search, &temperatures, start);
            let epsilon = stage.map_or(0.0, |stage| temperatures[stage]);
            (search.sample.failure(), Solution::of(search, epsilon))
        }
        Masses::Soft { epsilon } => {
            let tolerance = search.limits.for_soft_masses();
            let (point, reached) = descend(&mut search, &temperatures, epsilon, tolerance);
            (
                search.sample.failure(),
                Solution::soft(search, point, reached),
            )
        }
    };
    if let Some(failure) = failure {
        return Err(SolveErrorKind::Device.error(format!("the device of the sample: {failure}")));
    }
    solution.seconds = begin.elapsed().as_secs_f64();
    Ok(solution)
}

#[cfg(test)]
mod tests;
