//! The order of the work: temperatures from wide to narrow, with a polish of the hard cells after each.

use crate::curvature::Curvature;
use crate::exchange::exchange;
use crate::newton::minimise;
use crate::polish::{correct, polish};
use crate::search::Search;

/// Soft chi-square at which a temperature that is not the last is left.
const ROUGH: f64 = 5e-4;
/// Chi-square below which a warm start is taken for a solution of a nearby problem.
const NEARBY: f64 = 0.5;
/// Temperature, counted from the first, at which a nearby solution is taken up.
const WARM_STAGE: usize = 2;
/// A temperature that leaves more than this part of the chi-square has gained little.
const LITTLE: f64 = 0.7;
/// Temperatures of the last polishes, in units of the last one: a wider boundary averages over more samples.
const WIDTHS: [f64; 2] = [4.0, 16.0];

/// What is known of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    Cold,
    /// It solved a problem like this one, perhaps.
    Warm,
    /// It solved a part of the sample, and this was the temperature that it ended at, counted from the first.
    Coarse(usize),
}

impl Start {
    /// The temperature to begin with, counted from the first.
    pub(crate) fn stage(self) -> usize {
        match self {
            Self::Coarse(stage) => stage,
            Self::Cold | Self::Warm => 0,
        }
    }
}

/// Follows `temperatures` down until the hard cells of `search` are good enough; returns which one was used last, `None` when
/// the start was good enough.
///
/// A warm search starts with a polish and then at the narrowest of the first temperatures at which it is still close.
pub(crate) fn anneal(search: &mut Search<'_>, temperatures: &[f64], start: Start) -> Option<usize> {
    let (mut last, mut first) = (None, 0);
    match start {
        Start::Cold => search.look(),
        // The few rows that have been asked leave an error of chance alone: corrections need no exponentials for it.
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
        // Narrower boundaries hold fewer samples: what is left is the sample's, not the temperature's.
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

/// Follows `temperatures` down from the `first` on a part of the sample; returns where the hard cells are good enough for
/// it, or no longer gain. They are not corrected: their error is another one in the whole sample.
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

/// The narrowest of the first temperatures at which the start is close to the minimum, and the curvature there; `None` when
/// none is. A few rows say as much.
fn warm_model(search: &mut Search<'_>, temperatures: &[f64]) -> Option<(usize, Curvature)> {
    let (stage, mut point) = (1..=WARM_STAGE.min(temperatures.len() - 1))
        .rev()
        .map(|stage| (stage, search.rough_best(temperatures[stage])))
        .find(|(_, point)| point.chi_square <= NEARBY)?;
    Some((stage, search.curvature(&mut point)?))
}
