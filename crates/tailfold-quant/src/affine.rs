//! Affine quantization as ONNX defines it: `q = saturate(round_half_even(x / scale) + zero_point)`
//! (QuantizeLinear, opset 13), `x = (q - zero_point) * scale`.

use crate::error::QuantError;
use crate::observer::Range;

/// Which codes activations get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Unsigned 8-bit with a zero point: 256 codes over the range, whatever its ends.
    #[default]
    Affine,
    /// Signed 8-bit, -127..=127, zero point 0.
    Symmetric,
}

/// Scale and zero point of an 8-bit activation tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationParams {
    /// Width of a step, positive.
    pub scale: f32,
    /// The code of 0; 0 for symmetric codes.
    pub zero_point: u8,
    /// What the codes are.
    pub scheme: Scheme,
}

impl ActivationParams {
    /// The finest parameters that cover `range` and represent 0 exactly.
    pub fn of_range(range: Range, scheme: Scheme) -> Self {
        let (low, high) = (
            f64::from(range.low.min(0.0)),
            f64::from(range.high.max(0.0)),
        );
        let scale = to_f32(match scheme {
            Scheme::Affine => (high - low) / 255.0,
            Scheme::Symmetric => high.max(-low) / 127.0,
        });
        // A tensor that is always 0, or so small that a step underflows: any scale represents it.
        if scale < f32::MIN_POSITIVE {
            return Self {
                scale: 1.0,
                zero_point: 0,
                scheme,
            };
        }
        let zero_point = match scheme {
            Scheme::Affine => to_u8((-low / f64::from(scale)).round_ties_even()),
            Scheme::Symmetric => 0,
        };
        Self {
            scale,
            zero_point,
            scheme,
        }
    }

    /// The lowest and the highest code, counted from the code of 0.
    pub(crate) fn ends(self) -> [i16; 2] {
        let zero = i16::from(self.zero_point);
        match self.scheme {
            Scheme::Affine => [-zero, 255 - zero],
            Scheme::Symmetric => [-127, 127],
        }
    }

    /// The code of `value`, counted from the code of 0.
    pub fn quantize(self, value: f32) -> i16 {
        let [low, high] = self.ends().map(f32::from);
        to_i16((value / self.scale).round_ties_even().clamp(low, high))
    }

    /// The value of `code`, counted from the code of 0.
    pub fn dequantize(self, code: i16) -> f32 {
        f32::from(code) * self.scale
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

/// Quantizes `weights`, whose first axis is the output channel, with no scale below that channel's floor (0 for none).
///
/// # Errors
/// [`QuantError::Weight`] for a value that is not finite.
pub fn quantize_weights(
    name: &str,
    weights: &[f32],
    floors: &[f32],
) -> Result<WeightParams, QuantError> {
    let channels = floors.len();
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
        let floor = floors.get(channel).copied().unwrap_or(0.0);
        let scale = (largest / 127.0).max(floor);
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
    reason = "a scale, or the end of a range of f32 values; f32 is what ONNX stores"
)]
pub(crate) fn to_f32(value: f64) -> f32 {
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
    reason = "a code, clamped by the caller"
)]
fn to_i16(value: f32) -> i16 {
    value as i16
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
            let value = (low + share * width).clamp(low, low + width);
            for (scheme, steps) in [(Scheme::Affine, 1.001), (Scheme::Symmetric, 0.501)] {
                let params = ActivationParams::of_range(range, scheme);
                let error = (params.dequantize(params.quantize(value)) - value).abs();
                // A rounded zero point can push either end out by half a step more.
                prop_assert!(error <= params.scale * steps, "{error} against a step of {}", params.scale);
                prop_assert!(params.dequantize(params.quantize(0.0)).abs() < f32::MIN_POSITIVE);
            }
        }

        #[test]
        fn weights_come_back_within_half_a_step(weights in prop::collection::vec(-3.0_f32..3.0, 12)) {
            let params = quantize_weights("w", &weights, &[0.0; 3]).unwrap();
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
        let of = |low, high, scheme| ActivationParams::of_range(Range { low, high }, scheme);
        for scheme in [Scheme::Affine, Scheme::Symmetric] {
            let params = of(0.0, 0.0, scheme);
            assert!((params.scale - 1.0).abs() < f32::EPSILON && params.zero_point == 0);
        }
        let relu = of(0.0, 2.55, Scheme::Affine);
        assert_eq!(
            (relu.zero_point, relu.quantize(-1.0), relu.quantize(9.0)),
            (0, 0, 255)
        );
        let symmetric = of(-1.0, 2.54, Scheme::Symmetric);
        assert_eq!(
            (
                symmetric.quantize(-9.0),
                symmetric.quantize(9.0),
                symmetric.zero_point
            ),
            (-127, 127, 0)
        );
        let zeros = quantize_weights("w", &[0.0; 4], &[0.0; 2]).unwrap();
        assert_eq!((zeros.scales, zeros.codes), (vec![1.0; 2], vec![0; 4]));
        let floored = quantize_weights("w", &[0.0, 0.0, 1.27, 0.0], &[0.5, 1e-9]).unwrap();
        assert_eq!(
            (floored.scales, floored.codes),
            (vec![0.5, 0.01], vec![0, 0, 127, 0])
        );
    }

    #[test]
    fn a_weight_that_is_no_number_is_named() {
        let error = quantize_weights("w", &[1.0, 2.0, f32::NAN, 0.0], &[0.0; 2]).unwrap_err();
        assert_eq!(error.to_string(), "weight `w` is NaN in output channel 1");
    }
}
