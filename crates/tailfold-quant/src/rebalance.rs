//! Re-balances the last bias: quantization shifts the logits of each class, like a wrong offset.

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

/// Tolerance of the solver: the relative error of the masses has a root mean square of 1e-5.
const CHI_SQUARE: f64 = 1e-10;
/// Tolerance for a solver that stopped at its iteration limit: a relative error of 1e-3, less than one image of a usual
/// calibration set.
const NEARLY_MET: f64 = 1e-6;
/// Smallest target mass of a class: the solver does not accept 0, the mass of a class that the float network
/// never predicts.
const LEAST_MASS: f64 = 1e-12;

/// Returns the shifts of the quantized network's logits, `[classes]`, sum 0, with which every class keeps the mass that
/// the float network gives it on `set`; or the reason why the logits are not shifted.
///
/// `float` and `quantized` are the logits of both networks on the images of `set`. The shifts never lower the top-1
/// agreement with the float model ([`LeftOut::Agreement`]), and each is limited by the error of its logit
/// ([`Rebalanced::Done`]).
///
/// # Errors
/// [`QuantError`] when no sample weights can be computed from the labels.
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

/// Returns the shifts with which the mean softmax of `quantized` becomes the mean softmax of `float`, each
/// reduced by the part that chance explains ([`trust()`]) and limited to the error of its logit ([`limited()`]).
///
/// The mean softmax counts every image towards every class. Counting whole images would leave the shifts to chance in a
/// calibration set of a few hundred images.
fn shifts(
    float: &Logits,
    quantized: &Logits,
    weights: Option<&[f64]>,
) -> Result<Vec<f64>, LeftOut> {
    // The error of a NaN or infinite logit limits no shift; the solver checks the quantized logits alone.
    Scores::matrix(float.values(), float.num_classes())?;
    let target = masses(float, weights);
    let scores = Scores::matrix(quantized.values(), quantized.num_classes())?;
    let mut problem = Problem::new(scores, &target);
    problem.sample_weights = weights;
    let mut options = Options::default();
    options.masses = Masses::Soft { epsilon: 1.0 };
    options.chi_square = CHI_SQUARE;
    let solution = solve(&problem, &options)?;
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

/// Returns the mean softmax of each class, sum 1.
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
