//! A transport problem: the public form, and the checked and normalized form for the passes.

use crate::{Scores, SolveError, SolveErrorKind};

/// Largest deviation from 1 of the sum of target masses that counts as rounding; a larger one is an error.
const TARGET_SUM_TOLERANCE: f64 = 1e-6;

/// The transport problem: a weighted sample and the target mass of each class.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Problem<'a> {
    /// Scores `[n, C]`.
    pub scores: Scores<'a>,
    /// Weight of each sample, `[n]`, nonnegative, of any positive sum; `None` means equal weights.
    pub sample_weights: Option<&'a [f64]>,
    /// Target mass of each class, `[C]`, positive. The sum must be 1 within 1e-6; the masses are divided by it.
    pub target: &'a [f64],
}

impl<'a> Problem<'a> {
    /// Creates the problem that gives each class its share of `target`, `[C]`, of equally weighted samples.
    pub fn new(scores: Scores<'a>, target: &'a [f64]) -> Self {
        Self {
            scores,
            sample_weights: None,
            target,
        }
    }
}

/// Sample weights that sum to 1.
#[derive(Clone, Debug)]
pub(crate) enum SampleWeights {
    /// The common weight, and the number of samples.
    Equal(f64, usize),
    Each(Vec<f64>),
}

impl SampleWeights {
    /// Checks and normalises the weights of `rows` samples.
    pub(crate) fn new(weights: Option<&[f64]>, rows: usize) -> Result<Self, SolveError> {
        let Some(weights) = weights else {
            return Ok(Self::equal(rows));
        };
        if weights.len() != rows {
            return Err(SolveErrorKind::Length.error(format!(
                "sample weights have {found} values, expected {rows}",
                found = weights.len()
            )));
        }
        if let Some((row, &value)) = weights
            .iter()
            .enumerate()
            .find(|(_, w)| !w.is_finite() || **w < 0.0)
        {
            return Err(SolveErrorKind::Mass.error(format!(
                "sample weight of row {row} is {value}, expected a finite number that is not \
                 negative"
            )));
        }
        let sum: f64 = weights.iter().sum();
        // A subnormal sum has too few significant digits for a divisor.
        if !sum.is_normal() {
            return Err(SolveErrorKind::Mass.error(format!("the sample weights sum to {sum}")));
        }
        Ok(Self::Each(weights.iter().map(|w| w / sum).collect()))
    }

    /// Returns the weights from row `rows` on; their sum is no longer 1.
    pub(crate) fn skip(&self, rows: usize) -> Self {
        match self {
            Self::Equal(_, all) => Self::equal(all - rows),
            Self::Each(weights) => Self::Each(weights[rows..].to_vec()),
        }
    }

    /// Returns the weights of the rows 0, `stride`, 2 `stride` and so on, with sum 1; equal weights if all of them are
    /// 0.
    pub(crate) fn every(self, stride: usize) -> Self {
        match self {
            weights @ Self::Each(_) if stride == 1 => weights,
            Self::Equal(_, rows) => Self::equal(rows.div_ceil(stride)),
            Self::Each(weights) => {
                let some: Vec<f64> = weights.into_iter().step_by(stride).collect();
                let sum: f64 = some.iter().sum();
                if sum.is_normal() {
                    Self::Each(some.iter().map(|w| w / sum).collect())
                } else {
                    Self::equal(some.len())
                }
            }
        }
    }

    fn equal(rows: usize) -> Self {
        Self::Equal(1.0 / rows as f64, rows)
    }

    pub(crate) fn get(&self, row: usize) -> f64 {
        match self {
            Self::Equal(weight, _) => *weight,
            Self::Each(weights) => weights[row],
        }
    }

    pub(crate) fn largest(&self) -> f64 {
        match self {
            Self::Equal(weight, _) => *weight,
            Self::Each(weights) => weights.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// Checks the target masses of `classes` classes and divides them by their sum.
pub(crate) fn normalised_target(target: &[f64], classes: usize) -> Result<Vec<f64>, SolveError> {
    if target.len() != classes {
        return Err(SolveErrorKind::Length.error(format!(
            "target masses have {found} values, expected {classes}",
            found = target.len()
        )));
    }
    if let Some((class, &value)) = target
        .iter()
        .enumerate()
        .find(|(_, v)| !v.is_normal() || **v < 0.0)
    {
        return Err(SolveErrorKind::Mass.error(format!(
            "target mass of class {class} is {value}, expected a positive number"
        )));
    }
    let sum: f64 = target.iter().sum();
    if (sum - 1.0).abs() > TARGET_SUM_TOLERANCE {
        return Err(
            SolveErrorKind::Mass.error(format!("the target masses sum to {sum}, expected 1"))
        );
    }
    Ok(target.iter().map(|v| v / sum).collect())
}

/// Checks that there is one offset per class and that each offset fits an `f32` bias.
pub(crate) fn check_offsets(
    offsets: &[f64],
    classes: usize,
    [all, one]: [&'static str; 2],
) -> Result<(), SolveError> {
    if offsets.len() != classes {
        return Err(SolveErrorKind::Length.error(format!(
            "{all} have {found} values, expected {classes}",
            found = offsets.len()
        )));
    }
    match offsets
        .iter()
        .enumerate()
        .find(|(_, h)| !h.is_finite() || h.abs() > f64::from(f32::MAX))
    {
        Some((class, &value)) => Err(SolveErrorKind::NotFinite.error(format!(
            "{one} of class {class} is {value}, expected a finite f32"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
