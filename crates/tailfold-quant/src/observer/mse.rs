//! MSE observer: the range with the least mean squared error.

use super::Range;
use crate::affine::{ActivationParams, Scheme, to_f32};
use crate::histogram::Line;

/// Number of positions of an end that are tried, between 0 and the outermost value.
const STEPS: u16 = 64;

/// Number of times that each end is optimised, given the other one.
const ROUNDS: usize = 2;

/// Returns the range within `extremes` with the least sum of squared quantization errors over the line;
/// between equals, the widest.
pub(super) fn least_error(line: &Line, extremes: Range, scheme: Scheme) -> Range {
    let extremes = match scheme {
        Scheme::Affine => extremes,
        // Only the upper end is searched; the lower end is its negative.
        Scheme::Symmetric => Range {
            low: 0.0,
            ..extremes
        },
    };
    let mut best = extremes;
    let centres: Vec<(f64, f64)> = line.centres().collect();
    let mut least = squared_error(&centres, best, scheme);
    for _ in 0..ROUNDS {
        for end in [low, high] {
            let given = best;
            for step in (1..STEPS).rev() {
                let share = f64::from(step) / f64::from(STEPS);
                let tried = end(given, extremes, share);
                let error = squared_error(&centres, tried, scheme);
                if error < least {
                    (best, least) = (tried, error);
                }
            }
        }
    }
    best
}

fn low(range: Range, extremes: Range, share: f64) -> Range {
    Range {
        low: to_f32(f64::from(extremes.low) * share),
        ..range
    }
}

fn high(range: Range, extremes: Range, share: f64) -> Range {
    Range {
        high: to_f32(f64::from(extremes.high) * share),
        ..range
    }
}

/// Adding and subtracting this number rounds a value below 2^51 to the nearest integer, ties to even.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// Returns the sum of squared quantization errors over the centres of the bins, weighted by their counts.
fn squared_error(centres: &[(f64, f64)], range: Range, scheme: Scheme) -> f64 {
    let params = ActivationParams::of_range(range, scheme);
    let scale = f64::from(params.scale);
    let [lowest, highest] = params.ends().map(f64::from);
    let per_scale = scale.recip();
    let errors = centres.iter().map(|&(value, count)| {
        let code = (value * per_scale).max(lowest).min(highest) + ROUNDING - ROUNDING;
        count * (code * scale - value).powi(2)
    });
    errors.sum()
}
