//! Re-balances the last bias: codes shift logits class by class, which is what a wrong offset does.

use tailfold_sdot::{Masses, Options, Problem, Scores, Stop, balanced_weights, solve};
use tailfold_spec::{Logits, softmax};

use crate::error::QuantError;
use crate::images::CalibrationSet;

mod trust;

use trust::trust;

/// The masses are met to a part in a hundred thousand, as a root mean square.
const CHI_SQUARE: f64 = 1e-10;
/// A class that the float network never thinks of has this mass: the solver takes no zero.
const LEAST_MASS: f64 = 1e-12;

/// What to add to the logits of a quantized network, `[classes]`, sum 0, so that on the images of `set`, where it answers
/// `quantized`, every class keeps the mass that it has in the float network, which answers `float`.
///
/// # Errors
/// [`QuantError`] of the solver.
pub(crate) fn rebalance(
    float: &Logits,
    quantized: &Logits,
    set: &CalibrationSet,
) -> Result<Vec<f64>, QuantError> {
    let weights = set
        .data()
        .map(|data| balanced_weights(data.labels(), data.classes().len()));
    let weights = weights.transpose()?;
    shifts(float, quantized, weights.as_deref())
}

/// What to add to the rows of `quantized` so that their mean softmax is that of `float`, for each class as far as its images can tell.
///
/// A softmax gives every image a part in every class; whole images would leave the offsets of a calibration set of some hundred
/// images to chance.
fn shifts(
    float: &Logits,
    quantized: &Logits,
    weights: Option<&[f64]>,
) -> Result<Vec<f64>, QuantError> {
    let target = masses(float, weights);
    let solution = solve(
        &Problem {
            scores: Scores::matrix(quantized.values(), quantized.num_classes())?,
            sample_weights: weights,
            target: &target,
        },
        &Options {
            masses: Masses::Soft { epsilon: 1.0 },
            chi_square: CHI_SQUARE,
            ..Options::default()
        },
    )?;
    if solution.stop == Stop::IterationLimit {
        return Err(QuantError::Unbalanced {
            chi_square: solution.chi_square,
            stop: solution.stop.to_string(),
        });
    }
    let trust = trust(float, quantized, weights);
    let mut shifts: Vec<f64> = solution
        .offsets
        .iter()
        .zip(trust)
        .map(|(h, t)| h * t)
        .collect();
    let mean = shifts.iter().sum::<f64>() / shifts.len() as f64;
    shifts.iter_mut().for_each(|h| *h -= mean);
    Ok(shifts)
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
