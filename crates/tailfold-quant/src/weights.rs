//! Weights as symmetric signed integers, with one scale per output channel and zero point 0.

use std::fmt;

use crate::error::{QuantError, QuantErrorKind};

/// Bits per quantized weight, including the sign: 4 to 8. All are stored in 8 bits.
///
/// ONNX Runtime's kernels for x86 processors without VNNI add two products of bytes in 16 bits, and saturate
/// with 8-bit weights. Seven bits avoid the saturation (option `reduce_range` of ONNX Runtime).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightBits(u8);

impl Default for WeightBits {
    fn default() -> Self {
        Self(8)
    }
}

impl fmt::Display for WeightBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl WeightBits {
    /// Returns weights of `bits` bits.
    ///
    /// # Errors
    /// [`QuantErrorKind::Option`] when `bits` is not in 4 to 8.
    pub fn new(bits: u8) -> Result<Self, QuantError> {
        if (4..=8).contains(&bits) {
            Ok(Self(bits))
        } else {
            Err(QuantErrorKind::Option.error(format!("weights of {bits} bits: expected 4 to 8")))
        }
    }

    /// Returns the number of bits.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Returns the largest quantized value; the smallest is its negative.
    pub fn largest(self) -> i8 {
        i8::MAX >> (8 - self.0)
    }
}

/// Quantized weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightParams {
    /// Scales, `[channels]`, positive.
    pub scales: Vec<f32>,
    /// Quantized values, in the order of the weights.
    pub codes: Vec<i8>,
}

impl WeightParams {
    /// Returns the dequantized values, in the order of the weights.
    pub(crate) fn dequantized(&self) -> impl Iterator<Item = f32> {
        let row = self.codes.len() / self.scales.len().max(1);
        let rows = self.codes.chunks(row.max(1)).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |&code| f32::from(code) * scale))
    }
}

/// Rounds each of `weights`, whose first axis is the output channel, to nearest. A channel's scale maps its
/// largest weight to the largest quantized value, but is at least the channel's entry in `floors` (0 for no
/// limit).
///
/// # Errors
/// [`QuantErrorKind::NotFinite`] for a value that is not finite.
pub fn quantize_weights(
    name: &str,
    weights: &[f32],
    floors: &[f32],
    bits: WeightBits,
) -> Result<WeightParams, QuantError> {
    let channels = floors.len();
    let per_channel = weights.len() / channels.max(1);
    let mut params = WeightParams {
        scales: Vec::with_capacity(channels),
        codes: Vec::with_capacity(weights.len()),
    };
    for (channel, row) in weights.chunks_exact(per_channel.max(1)).enumerate() {
        if let Some(&value) = row.iter().find(|v| !v.is_finite()) {
            return Err(QuantErrorKind::NotFinite.error(format!(
                "weight `{name}` is {value} in output channel {channel}"
            )));
        }
        let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let floor = floors.get(channel).copied().unwrap_or(0.0);
        let scale = scale_of(largest / f32::from(bits.largest()), floor);
        params.scales.push(scale);
        params
            .codes
            .extend(row.iter().map(|v| code(v / scale, bits)));
    }
    Ok(params)
}

/// Returns the larger of `wanted` and `floor`; for a channel of zeros any scale, here 1, quantizes all
/// weights to 0.
pub(crate) fn scale_of(wanted: f32, floor: f32) -> f32 {
    let scale = wanted.max(floor);
    if scale < f32::MIN_POSITIVE {
        1.0
    } else {
        scale
    }
}

/// Returns the nearest quantized value to `steps`, a value divided by its scale.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to symmetric codes, at most 127"
)]
pub(crate) fn code(steps: f32, bits: WeightBits) -> i8 {
    let largest = f32::from(bits.largest());
    steps.round_ties_even().clamp(-largest, largest) as i8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn weight_error_is_at_most_half_a_step(weights in prop::collection::vec(-3.0_f32..3.0, 12), bits in 4_u8..=8) {
            let bits = WeightBits::new(bits).unwrap();
            let params = quantize_weights("w", &weights, &[0.0; 3], bits).unwrap();
            prop_assert!(params.codes.iter().all(|c| c.abs() <= bits.largest()));
            for (i, (value, back)) in weights.iter().zip(params.dequantized()).enumerate() {
                prop_assert!((back - value).abs() <= params.scales[i / 4] * 0.5001);
            }
        }
    }

    #[test]
    fn zero_channel_gets_floor_or_unit_scale() {
        let quantized = |weights: &[f32], floors: &[f32]| {
            quantize_weights("w", weights, floors, WeightBits::default()).unwrap()
        };
        let zeros = quantized(&[0.0; 4], &[0.0; 2]);
        assert_eq!((zeros.scales, zeros.codes), (vec![1.0; 2], vec![0; 4]));
        let floored = quantized(&[0.0, 0.0, 1.27, 0.0], &[0.5, 1e-9]);
        assert_eq!(
            (floored.scales, floored.codes),
            (vec![0.5, 0.01], vec![0, 0, 127, 0])
        );
    }

    #[test]
    fn nan_weight_names_the_channel() {
        let weights = [1.0, 2.0, f32::NAN, 0.0];
        let error = quantize_weights("w", &weights, &[0.0; 2], WeightBits::default()).unwrap_err();
        assert_eq!(error.to_string(), "weight `w` is NaN in output channel 1");
    }

    #[test]
    fn weight_bits_are_limited_to_4_to_8() {
        let largest: Vec<i8> = (4..=8)
            .map(|b| WeightBits::new(b).unwrap().largest())
            .collect();
        assert_eq!(largest, [7, 15, 31, 63, 127]);
        let error = WeightBits::new(3).unwrap_err();
        assert_eq!(error.to_string(), "weights of 3 bits: expected 4 to 8");
    }
}
