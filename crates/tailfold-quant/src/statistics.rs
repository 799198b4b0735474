//! Quantization errors of tensors.

use serde::Serialize;

use crate::affine::ActivationParams;
use crate::histogram::Line;
use crate::range::Range;
use crate::weights::WeightParams;

/// Statistics of an activation over all calibration images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorStatistics {
    /// Name of the tensor.
    pub tensor: String,
    /// Smallest and largest observed value.
    pub seen: [f32; 2],
    /// Smallest and largest value that can be represented.
    pub range: [f32; 2],
    /// Step between two neighbouring quantized values.
    pub scale: f32,
    /// Quantized value of 0.
    pub zero_point: u8,
    /// Share of the values beyond the range, from a histogram.
    pub saturated: f64,
    /// Mean squared value over mean squared error, in decibels, from a histogram; `None` without an error.
    pub sqnr_db: Option<f64>,
}

impl TensorStatistics {
    pub(crate) fn of(tensor: &str, seen: Range, line: &Line, params: ActivationParams) -> Self {
        let range = params.ends().map(|code| params.dequantize(code));
        let (mut all, mut beyond, mut signal, mut noise) = (0.0, 0.0, 0.0, 0.0);
        for (value, count) in line.centres() {
            let near = value.clamp(f64::from(range[0]), f64::from(range[1]));
            let half = f64::from(params.scale) / 2.0;
            // Values up to half a step beyond the range still round to its end.
            beyond += if (value - near).abs() > half {
                count
            } else {
                0.0
            };
            let steps = (near / f64::from(params.scale)).round_ties_even();
            let error = value - steps * f64::from(params.scale);
            signal += count * value * value;
            noise += count * error * error;
            all += count;
        }
        Self {
            tensor: tensor.to_owned(),
            seen: [seen.low, seen.high],
            range,
            scale: params.scale,
            zero_point: params.zero_point,
            saturated: if all > 0.0 { beyond / all } else { 0.0 },
            sqnr_db: decibels(signal, noise),
        }
    }
}

/// Statistics of the weights of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerStatistics {
    /// Name of the layer.
    pub layer: String,
    /// Operator of the layer.
    pub operator: String,
    /// Shape of the weights.
    pub shape: Vec<usize>,
    /// Whether the layer was quantized.
    pub quantized: bool,
    /// Bytes of the weights in float, and in the quantized model.
    pub bytes: [usize; 2],
    /// Smallest and largest scale of a channel; `None` for a layer in float.
    pub scales: Option<[f32; 2]>,
    /// Mean squared weight over mean squared error, in decibels; `None` for a layer in float, or without an
    /// error.
    pub sqnr_db: Option<f64>,
    /// Name of the layer's input activation.
    pub input: String,
}

/// Returns the signal-to-noise ratio of `codes` against `float`, in decibels, and their smallest and largest
/// scale.
pub(crate) fn of_weights(float: &[f32], codes: &WeightParams) -> (Option<f64>, Option<[f32; 2]>) {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (&value, back) in float.iter().zip(codes.dequantized()) {
        signal += f64::from(value).powi(2);
        noise += f64::from(value - back).powi(2);
    }
    let ends = codes
        .scales
        .iter()
        .fold(None, |ends: Option<[f32; 2]>, &s| {
            Some(ends.map_or([s, s], |[low, high]| [low.min(s), high.max(s)]))
        });
    (decibels(signal, noise), ends)
}

fn decibels(signal: f64, noise: f64) -> Option<f64> {
    Some(10.0 * (signal / noise).log10()).filter(|db| db.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::Scheme;
    use crate::histogram::Histogram;
    use crate::weights::{WeightBits, quantize_weights};

    #[test]
    fn sqnr_of_uniform_values_matches_rounding_noise() {
        let values: Vec<f32> = (0..10_000_u16).map(|i| f32::from(i) / 10_000.0).collect();
        let mut histogram = Histogram::new();
        histogram.add(&values, 1.0);
        let range = Range {
            low: 0.0,
            high: 1.0,
        };
        let of = |range| ActivationParams::of_range(range, Scheme::Affine);
        let fine = TensorStatistics::of("t", range, &histogram.line(), of(range));
        // Mean square 1/3 against scale^2 / 12.
        let expected = 10.0 * (4.0_f64 * 255.0 * 255.0).log10();
        assert!(
            (fine.sqnr_db.unwrap() - expected).abs() < 0.1,
            "{fine:?} {expected}"
        );
        assert!(fine.saturated.abs() < 1e-12);
        let half = Range {
            low: 0.0,
            high: 0.5,
        };
        let cut = TensorStatistics::of("t", range, &histogram.line(), of(half));
        assert!((cut.saturated - 0.5).abs() < 0.01, "{cut:?}");
        assert!(cut.sqnr_db.unwrap() < 10.0, "{cut:?}");
        assert!((cut.range[1] - 0.5).abs() < 1e-6 && (cut.seen[1] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn exactly_representable_weights_have_no_noise() {
        let exact = quantize_weights(
            "w",
            &[127.0, -1.0, 3.0, 0.0],
            &[0.0; 1],
            WeightBits::default(),
        )
        .unwrap();
        assert_eq!(
            of_weights(&[127.0, -1.0, 3.0, 0.0], &exact),
            (None, Some([1.0, 1.0]))
        );
        let (db, scales) = of_weights(&[127.0, -1.0, 3.0, 0.5], &exact);
        assert!(
            (db.unwrap() - 10.0 * (16_139.25_f64 / 0.25).log10()).abs() < 1e-3,
            "{db:?} {scales:?}"
        );
    }
}
