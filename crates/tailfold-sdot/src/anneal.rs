//! The schedule of a solve: temperatures from high to low, with corrections of the hard cells (polish) after each.

use crate::curvature::Curvature;
use crate::exchange::exchange;
use crate::newton::minimise;
use crate::polish::{correct, polish};
use crate::search::Search;

/// Soft chi-square at which the solver proceeds to the next temperature.
const ROUGH: f64 = 5e-4;
/// Chi-square below which a warm start counts as the solution of a nearby problem.
const NEARBY: f64 = 0.5;
/// Index of the lowest temperature at which a warm start may continue, counted from the first temperature.
const WARM_STAGE: usize = 2;
/// A temperature that leaves more than this fraction of the chi-square has gained little.
const LITTLE: f64 = 0.7;
/// Temperatures of the last polishes, in units of the last temperature: wider boundaries average over more samples.
const WIDTHS: [f64; 2] = [4.0, 16.0];

/// The kind of the starting point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing is known about the starting point.
    Cold,
    /// The starting point possibly solves a similar problem.
    Warm,
    /// The starting point solves a part of the sample and ended at this temperature, counted from the first.
    Coarse(usize),
}

impl Start {
    /// Returns the index of the temperature to start with.
    pub(crate) fn stage(self) -> usize {
        match self {
            Self::Coarse(stage) => stage,
            Self::Cold | Self::Warm => 0,
        }
    }
}

/// Lowers the temperature along `temperatures` until the hard cells of `search` are good enough. Returns the index
/// of the last temperature that was used; `None` when the start was good enough.
///
/// A warm search starts with a polish, and then at the lowest of the first temperatures at which it is still close.
pub(crate) fn anneal(search: &mut Search<'_>, temperatures: &[f64], start: Start) -> Option<usize> {
    let (mut last, mut first) = (None, 0);
    match start {
        Start::Cold => search.look(),
        // The start was fitted on a few rows, so only its sampling error is left, and corrections need no exponentials.
        Start::Coarse(stage) => {
            (last, first) = (Some(stage), stage);
            polish(search, temperatures[stage], None);
        }
        Start::Warm => {
            search.look();
            if !search.is_over()
                && let Some((stage, model)) = warm_model(search, temperatures)
            {
                (last, first) = (Some(stage), stage);
                correct(search, temperatures[stage], &model);
            }
        }
    }
    let mut offsets = search.best.offsets.clone();
    for (stage, &epsilon) in temperatures.iter().enumerate().skip(first) {
        if search.is_over() {
            return last;
        }
        last = Some(stage);
        let before = search.best.chi_square;
        let fine = search.limits.tolerance.unwrap_or(0.0) / 4.0;
        let is_last = stage + 1 == temperatures.len();
        let enough = if is_last { fine } else { fine.max(ROUGH) };
        let point = minimise(search, &offsets, epsilon, enough);
        offsets.clone_from(&point.offsets);
        polish(search, epsilon, Some(point));
        // Narrower boundaries contain fewer samples: the remaining error comes from the sample, not from the
        // temperature.
        if search.best.chi_square <= search.limits.floor && search.best.chi_square > before * LITTLE
        {
            break;
        }
    }
    if let Some(stage) = last {
        for width in WIDTHS {
            if !search.is_over() {
                polish(search, temperatures[stage] * width, None);
            }
        }
    }
    exchange(search);
    last
}

/// Lowers the temperature from stage `first` on a part of the sample. Returns the stage at which the hard cells are
/// good enough for this part or stop improving. There is no polish, because the error differs on the whole sample.
pub(crate) fn approach(search: &mut Search<'_>, temperatures: &[f64], first: usize) -> usize {
    let mut offsets = search.best.offsets.clone();
    for (stage, &epsilon) in temperatures.iter().enumerate().skip(first) {
        let before = search.best.chi_square;
        let enough = (search.limits.tolerance.unwrap_or(0.0) / 4.0).max(ROUGH);
        offsets = minimise(search, &offsets, epsilon, enough).offsets;
        let best = search.best.chi_square;
        if search.is_over() || best <= search.limits.floor && best > before * LITTLE {
            search.best.offsets = offsets;
            return stage;
        }
    }
    search.best.offsets = offsets;
    temperatures.len() - 1
}

/// Returns the lowest of the first temperatures at which the start is close to the minimum, and the curvature there;
/// `None` when there is no such temperature. A few rows are enough to decide this.
fn warm_model(search: &mut Search<'_>, temperatures: &[f64]) -> Option<(usize, Curvature)> {
    let (stage, mut point) = (1..=WARM_STAGE.min(temperatures.len() - 1))
        .rev()
        .map(|stage| (stage, search.rough_best(temperatures[stage])))
        .find(|(_, point)| point.chi_square <= NEARBY)?;
    Some((stage, search.curvature(&mut point)?))
}
