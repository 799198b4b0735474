//! Re-balances the last bias: codes shift logits class by class, which is what a wrong offset does.

use tailfold_sdot::{Masses, Options, Problem, Scores, Stop, balanced_weights, solve};
use tailfold_spec::{Logits, softmax};

use crate::error::QuantError;
use crate::images::CalibrationSet;
use crate::logits::same_decisions;

mod errors;
mod limit;
mod outcome;
mod trust;

pub(crate) use errors::shifted;
pub use outcome::{LeftOut, Rebalanced};

use errors::LogitErrors;
use limit::limited;
use trust::trust;

/// The masses are met to a part in a hundred thousand, as a root mean square.
const CHI_SQUARE: f64 = 1e-10;
/// A solution that ended early is taken up to here: a part in a thousand, less than one image of a usual calibration set.
const NEARLY_MET: f64 = 1e-6;
/// A class that the float network never thinks of has this mass: the solver takes no zero.
const LEAST_MASS: f64 = 1e-12;

/// What to add to the logits of a quantized network, `[classes]`, sum 0, so that on the images of `set`, where it answers
/// `quantized`, every class keeps the mass that it has in the float network, which answers `float`; or why nothing is added.
///
/// The shifts do no harm: see [`LeftOut::Agreement`] and the limit of each shift in [`Rebalanced::Done`].
///
/// # Errors
/// [`QuantError`] of sample weights that cannot be made of the labels.
pub(crate) fn rebalance(
    float: &Logits,
    quantized: &Logits,
    set: &CalibrationSet,
) -> Result<Result<Vec<f64>, LeftOut>, QuantError> {
    let weights = set
        .data()
        .map(|data| balanced_weights(data.labels(), data.classes().len()));
    let weights = weights.transpose()?;
    let found = shifts(float, quantized, weights.as_deref());
    Ok(found.and_then(|shifts| {
        let [before, after] =
            [quantized, &shifted(quantized, &shifts)].map(|q| same_decisions(float, q));
        if after < before {
            let images = float.len();
            return Err(LeftOut::Agreement {
                before,
                after,
                images,
            });
        }
        Ok(shifts)
    }))
}

/// What to add to the rows of `quantized` so that their mean softmax is that of `float`, for each class as far as its images can
/// tell, and not further than its logit is wrong.
///
/// A softmax gives every image a part in every class; whole images would leave the offsets of a calibration set of some hundred
/// images to chance.
fn shifts(
    float: &Logits,
    quantized: &Logits,
    weights: Option<&[f64]>,
) -> Result<Vec<f64>, LeftOut> {
    let target = masses(float, weights);
    let scores = Scores::matrix(quantized.values(), quantized.num_classes())?;
    let solution = solve(
        &Problem {
            scores,
            sample_weights: weights,
            target: &target,
        },
        &Options {
            masses: Masses::Soft { epsilon: 1.0 },
            chi_square: CHI_SQUARE,
            ..Options::default()
        },
    )?;
    let nearly_met = solution.chi_square <= NEARLY_MET;
    if solution.stop == Stop::IterationLimit && !nearly_met {
        return Err(LeftOut::Unbalanced {
            chi_square: solution.chi_square,
            stop: solution.stop.to_string(),
        });
    }
    let errors = LogitErrors::of(float, quantized, weights);
    let trust = trust(&errors, float);
    let mut shifts: Vec<f64> = solution
        .offsets
        .iter()
        .zip(trust)
        .map(|(h, t)| h * t)
        .collect();
    let mean = shifts.iter().sum::<f64>() / shifts.len() as f64;
    shifts.iter_mut().for_each(|h| *h -= mean);
    Ok(limited(shifts, &errors.root_mean_squares()))
}

/// Mean softmax of each class, sum 1.
fn masses(logits: &Logits, weights: Option<&[f64]>) -> Vec<f64> {
    let mut sums = vec![0.0_f64; logits.num_classes()];
    for (image, row) in logits.rows().enumerate() {
        let weight = weights.map_or(1.0, |w| w[image]);
        let shares = softmax(row);
        sums.iter_mut()
            .zip(shares)
            .for_each(|(sum, p)| *sum += weight * p);
    }
    let whole: f64 = sums.iter().sum();
    sums.iter_mut()
        .for_each(|m| *m = (*m / whole).max(LEAST_MASS));
    let whole: f64 = sums.iter().sum();
    sums.into_iter().map(|m| m / whole).collect()
}

#[cfg(test)]
mod tests;
