//! Affine quantization as ONNX defines it: `q = saturate(round_half_even(x / scale) + zero_point)`
//! (QuantizeLinear, opset 13), `x = (q - zero_point) * scale`.

use crate::range::Range;

/// Quantization scheme of activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Unsigned 8-bit with a zero point: 256 quantized values ("codes") over the range.
    #[default]
    Affine,
    /// Signed 8-bit, -127..=127, zero point 0.
    Symmetric,
}

/// Scale and zero point of an 8-bit activation tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationParams {
    /// Step between two neighbouring quantized values, positive.
    pub scale: f32,
    /// Quantized value of 0; always 0 for the symmetric scheme.
    pub zero_point: u8,
    /// Scheme that the quantized values follow.
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
        // The tensor is always 0, or so small that the scale underflows: any scale represents it.
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

    /// Returns the lowest and the highest quantized value, relative to the zero point.
    pub(crate) fn ends(self) -> [i16; 2] {
        let zero = i16::from(self.zero_point);
        match self.scheme {
            Scheme::Affine => [-zero, 255 - zero],
            Scheme::Symmetric => [-127, 127],
        }
    }

    /// Returns the quantized value of `value`, relative to the zero point.
    pub fn quantize(self, value: f32) -> i16 {
        let [low, high] = self.ends().map(f32::from);
        to_i16((value / self.scale).round_ties_even().clamp(low, high))
    }

    /// Returns the real value of `code`, which is relative to the zero point.
    pub fn dequantize(self, code: i16) -> f32 {
        f32::from(code) * self.scale
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a scale, or the end of a range of f32 values; ONNX stores f32"
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn error_in_range_is_at_most_one_step_or_half_if_symmetric(
            low in -100.0_f32..100.0, width in 1e-3_f32..100.0, share in 0.0_f32..1.0,
        ) {
            let range = Range { low, high: low + width };
            let value = (low + share * width).clamp(low, low + width);
            for (scheme, steps) in [(Scheme::Affine, 1.001), (Scheme::Symmetric, 0.501)] {
                let params = ActivationParams::of_range(range, scheme);
                let error = (params.dequantize(params.quantize(value)) - value).abs();
                // Rounding a value costs half a step. In the affine scheme, rounding the zero point can move either
                // end of the range by another half step.
                prop_assert!(error <= params.scale * steps, "{error} against a step of {}", params.scale);
                prop_assert!(params.dequantize(params.quantize(0.0)).abs() < f32::MIN_POSITIVE);
            }
        }
    }

    #[test]
    fn zero_range_gets_a_usable_scale_and_other_values_are_clamped() {
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
    }
}
