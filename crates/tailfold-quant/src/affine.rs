//! Affine quantization as ONNX defines it: `q = saturate(round_half_even(x / scale) + zero_point)`
//! (QuantizeLinear, opset 13), `x = (q - zero_point) * scale`.

use crate::calibrate::Range;
use crate::error::QuantError;

/// Scale and zero point of an unsigned 8-bit activation tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationParams {
    /// Width of a step, positive.
    pub scale: f32,
    /// The code of 0.
    pub zero_point: u8,
}

impl ActivationParams {
    /// The finest parameters that cover `range` and represent 0 exactly.
    pub fn of_range(range: Range) -> Self {
        let (low, high) = (
            f64::from(range.low.min(0.0)),
            f64::from(range.high.max(0.0)),
        );
        let scale = to_f32((high - low) / 255.0);
        // A tensor that is always 0, or so small that a step underflows: any scale represents it.
        if scale < f32::MIN_POSITIVE {
            return Self {
                scale: 1.0,
                zero_point: 0,
            };
        }
        Self {
            scale,
            zero_point: to_u8((-low / f64::from(scale)).round_ties_even()),
        }
    }

    /// The code of `value`.
    pub fn quantize(self, value: f32) -> u8 {
        to_u8(f64::from((value / self.scale).round_ties_even()) + f64::from(self.zero_point))
    }

    /// The value of `code`.
    pub fn dequantize(self, code: u8) -> f32 {
        f32::from(i16::from(code) - i16::from(self.zero_point)) * self.scale
    }
}

/// Symmetric signed 8-bit weights, one scale an output channel, zero point 0.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightParams {
    /// `[channels]`, positive.
    pub scales: Vec<f32>,
    /// Same order as the weights; -127..=127.
    pub codes: Vec<i8>,
}

/// Quantizes `weights`, whose first axis is the output channel.
///
/// # Errors
/// [`QuantError::Weight`] for a value that is not finite.
pub fn quantize_weights(
    name: &str,
    weights: &[f32],
    channels: usize,
) -> Result<WeightParams, QuantError> {
    let per_channel = weights.len() / channels.max(1);
    let mut params = WeightParams {
        scales: Vec::with_capacity(channels),
        codes: Vec::with_capacity(weights.len()),
    };
    for (channel, row) in weights.chunks_exact(per_channel.max(1)).enumerate() {
        if let Some(&value) = row.iter().find(|v| !v.is_finite()) {
            return Err(QuantError::Weight {
                tensor: name.to_owned(),
                channel,
                value,
            });
        }
        let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let scale = largest / 127.0;
        // A channel of zeros, or so small that a step underflows: its codes are all 0 under any scale.
        let scale = if scale < f32::MIN_POSITIVE {
            1.0
        } else {
            scale
        };
        params.scales.push(scale);
        params.codes.extend(row.iter().map(|v| to_i8(v / scale)));
    }
    Ok(params)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a scale; f32 is what ONNX stores"
)]
fn to_f32(value: f64) -> f32 {
    value as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u8"
)]
fn to_u8(value: f64) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to -127..=127: symmetric codes leave -128 unused"
)]
fn to_i8(value: f32) -> i8 {
    value.round_ties_even().clamp(-127.0, 127.0) as i8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_in_range_comes_back_within_half_a_step(
            low in -100.0_f32..100.0, width in 1e-3_f32..100.0, share in 0.0_f32..1.0,
        ) {
            let range = Range { low, high: low + width };
            let params = ActivationParams::of_range(range);
            let value = (low + share * width).clamp(low, low + width);
            let error = (params.dequantize(params.quantize(value)) - value).abs();
            // The zero point is rounded to a code, which can push either end out by half a step more.
            prop_assert!(error <= params.scale * 1.001, "{error} against a step of {}", params.scale);
            prop_assert!(params.dequantize(params.quantize(0.0)).abs() < f32::MIN_POSITIVE);
        }

        #[test]
        fn weights_come_back_within_half_a_step(weights in prop::collection::vec(-3.0_f32..3.0, 12)) {
            let params = quantize_weights("w", &weights, 3).unwrap();
            for (channel, row) in weights.chunks(4).enumerate() {
                for (i, value) in row.iter().enumerate() {
                    let back = f32::from(params.codes[channel * 4 + i]) * params.scales[channel];
                    prop_assert!((back - value).abs() <= params.scales[channel] * 0.5001);
                }
            }
        }
    }

    #[test]
    fn ranges_without_width_are_harmless() {
        let params = ActivationParams::of_range(Range {
            low: 0.0,
            high: 0.0,
        });
        assert_eq!(
            params,
            ActivationParams {
                scale: 1.0,
                zero_point: 0
            }
        );
        let relu = ActivationParams::of_range(Range {
            low: 0.0,
            high: 2.55,
        });
        assert_eq!(
            (relu.zero_point, relu.quantize(-1.0), relu.quantize(9.0)),
            (0, 0, 255)
        );
        let zeros = quantize_weights("w", &[0.0; 4], 2).unwrap();
        assert_eq!((zeros.scales, zeros.codes), (vec![1.0; 2], vec![0; 4]));
    }

    #[test]
    fn a_weight_that_is_no_number_is_named() {
        let error = quantize_weights("w", &[1.0, 2.0, f32::NAN, 0.0], 2).unwrap_err();
        assert_eq!(error.to_string(), "weight `w` is NaN in output channel 1");
    }
}
