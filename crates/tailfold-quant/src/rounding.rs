//! Rounding of weights: up or down.

use std::str::FromStr;

use nalgebra::{DMatrix, DVector};

use crate::error::{QuantError, QuantErrorKind};
use crate::weights::{WeightBits, code, scale_of};

/// How weights are rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Rounds to nearest; the scale maps the largest weight of a channel to the largest quantized value.
    Nearest,
    /// Rounds each weight up or down, and chooses the scale, to minimise the squared error of the layer's
    /// sums on the calibration images: the quadratic problem of AdaRound (Nagel et al., ICML 2020, eq. 13),
    /// solved per output channel by coordinate descent.
    #[default]
    Adaptive,
}

impl Rounding {
    /// Returns the name, which [`FromStr`] parses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Adaptive => "adaptive",
        }
    }
}

impl FromStr for Rounding {
    type Err = QuantError;

    fn from_str(text: &str) -> Result<Self, QuantError> {
        [Self::Nearest, Self::Adaptive]
            .into_iter()
            .find(|rounding| rounding.name() == text)
            .ok_or_else(|| {
                QuantErrorKind::Option.error(format!(
                    "unknown rounding `{text}`: expected `nearest` or `adaptive`"
                ))
            })
    }
}

/// Share of the mean second moment that is added to each second moment, so that directions without samples
/// still have a cost.
const DAMPING: f64 = 0.01;
/// Candidate scales, as shares of the scale that reaches the largest weight.
const SHRINKING: [f32; 11] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/// Largest number of moves per weight of a row: a safety bound that a convergent descent never reaches.
const MOVES: usize = 8;

/// Damped second moments of a layer's inputs: blocks along the diagonal.
#[derive(Clone, Debug)]
pub(crate) struct Quadratic(Vec<DMatrix<f64>>);

impl Quadratic {
    /// Damps square `blocks` of second moments, whose sizes sum to the length of a row.
    pub(crate) fn new(mut blocks: Vec<DMatrix<f64>>) -> Self {
        let trace: f64 = blocks.iter().map(DMatrix::trace).sum();
        let dim: usize = blocks.iter().map(DMatrix::nrows).sum();
        let mean = trace / dim.max(1) as f64;
        // For inputs that are always 0, any positive damping rounds weights to nearest.
        let added = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        for block in &mut blocks {
            for i in 0..block.nrows() {
                block[(i, i)] += added;
            }
        }
        Self(blocks)
    }

    /// Returns the scale and the quantized values of `row` that minimise the mean squared error of its sums,
    /// with a scale of at least `floor`.
    pub(crate) fn round(&self, row: &[f32], floor: f32, bits: WeightBits) -> (f32, Vec<i8>) {
        let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let widest = largest / f32::from(bits.largest());
        let mut scale = scale_of(widest, floor);
        let mut least = self.separate_error(row, scale, bits);
        for part in SHRINKING {
            let tried = scale_of(widest * part, floor);
            let error = self.separate_error(row, tried, bits);
            if error < least {
                (scale, least) = (tried, error);
            }
        }
        let mut codes = Vec::with_capacity(row.len());
        let mut rest = row;
        for block in &self.0 {
            let part;
            (part, rest) = rest.split_at(block.nrows().min(rest.len()));
            codes.extend(descend(block, part, scale, bits));
        }
        (scale, codes)
    }

    /// Returns the error of rounding to nearest as if all inputs were uncorrelated, which is enough to choose
    /// a scale.
    fn separate_error(&self, row: &[f32], scale: f32, bits: WeightBits) -> f64 {
        let errors = row
            .iter()
            .map(|&w| f64::from(w) - value(code(w / scale, bits), scale));
        let moments = self
            .0
            .iter()
            .flat_map(|block| (0..block.nrows()).map(|i| block[(i, i)]));
        errors.zip(moments).map(|(e, moment)| moment * e * e).sum()
    }
}

/// Rounds to nearest, then repeatedly moves the weight with the largest gain to the other side, as long as a
/// move gains.
fn descend(second: &DMatrix<f64>, row: &[f32], scale: f32, bits: WeightBits) -> Vec<i8> {
    let steps: Vec<f32> = row.iter().map(|w| w / scale).collect();
    let mut codes: Vec<i8> = steps.iter().map(|&at| code(at, bits)).collect();
    let diagonal = second.diagonal();
    let errors = row
        .iter()
        .zip(&codes)
        .map(|(&w, &c)| f64::from(w) - value(c, scale));
    let errors = DVector::from_iterator(row.len(), errors);
    let mut slope = second * errors;
    let step = f64::from(scale);
    for _ in 0..row.len() * MOVES {
        let gains = (0..row.len()).filter_map(|i| {
            let other = other_side(steps[i], codes[i], bits)?;
            let towards = f64::from(other - codes[i]) * step;
            // The gain is `e^2 - (e - t)^2` along coordinate i.
            let gain = 2.0 * towards * slope[i] - towards * towards * diagonal[i];
            (gain > 1e-9 * towards * towards * diagonal[i]).then_some((gain, i, other))
        });
        // The first of equal gains, so that the result is deterministic.
        let Some((_, i, other)) = gains.reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
            break;
        };
        slope.axpy(-f64::from(other - codes[i]) * step, &second.column(i), 1.0);
        codes[i] = other;
    }
    codes
}

fn value(code: i8, scale: f32) -> f64 {
    f64::from(code) * f64::from(scale)
}

/// Returns the quantized value on the other side of `steps`; `None` when `steps` is exact or the value is out
/// of range.
fn other_side(steps: f32, code: i8, bits: WeightBits) -> Option<i8> {
    let at = f32::from(code);
    let other = if steps > at {
        code.checked_add(1)
    } else if steps < at {
        code.checked_sub(1)
    } else {
        None
    };
    other.filter(|o| o.unsigned_abs() <= bits.largest().unsigned_abs())
}

#[cfg(test)]
mod tests;
