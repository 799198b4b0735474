//! Which of the two codes around a weight it gets.

use std::str::FromStr;

use nalgebra::{DMatrix, DVector};

use crate::error::{QuantError, QuantErrorKind};
use crate::weights::{WeightBits, code, scale_of};

/// How weights become codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// The nearest code; the largest weight of a channel has the largest code.
    Nearest,
    /// The code below or above, and the scale, with which the layer's sums err least on the calibration images: the
    /// quadratic problem of AdaRound (Nagel et al., ICML 2020, eq. 13) for each output channel, by coordinate descent.
    #[default]
    Adaptive,
}

impl Rounding {
    /// The name on the command line.
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

/// Part of the mean second moment that is added to each: directions that the sample does not show are not free.
const DAMPING: f64 = 0.01;
/// Scales that are tried, as parts of the one that reaches the largest weight.
const SHRINKING: [f32; 11] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/// Most moves a weight of a row: a bound, never reached by a descent that converges.
const MOVES: usize = 8;

/// Second moments of a layer's inputs, damped: blocks along the diagonal.
#[derive(Clone, Debug)]
pub(crate) struct Quadratic(Vec<DMatrix<f64>>);

impl Quadratic {
    /// Of square `blocks` of second moments, whose sizes sum to the length of a row.
    pub(crate) fn new(mut blocks: Vec<DMatrix<f64>>) -> Self {
        let trace: f64 = blocks.iter().map(DMatrix::trace).sum();
        let dim: usize = blocks.iter().map(DMatrix::nrows).sum();
        let mean = trace / dim.max(1) as f64;
        // An input that is always 0 says nothing: then weights are rounded to the nearest.
        let added = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        for block in &mut blocks {
            for i in 0..block.nrows() {
                block[(i, i)] += added;
            }
        }
        Self(blocks)
    }

    /// Scale and codes of `row` with the least mean square error of its sums, no scale below `floor`.
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

    /// Error of the nearest codes as if no two inputs were correlated: enough to choose a scale.
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

/// From the nearest codes, one code at a time to the other side of its weight, the one that gains most, as long as one does.
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
            // (e - t)^2 - e^2 along coordinate i.
            let gain = 2.0 * towards * slope[i] - towards * towards * diagonal[i];
            (gain > 1e-9 * towards * towards * diagonal[i]).then_some((gain, i, other))
        });
        // The first of equals, so that the codes do not depend on anything else.
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

/// The code on the other side of `steps`, if there is one.
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
