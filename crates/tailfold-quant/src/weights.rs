//! Weights as symmetric signed codes, one scale an output channel, zero point 0.

use std::fmt;

use crate::error::{QuantError, QuantErrorKind};

/// Bits of a weight's code, its sign included: 4 to 8. All are stored in 8.
///
/// Seven keep ONNX Runtime's kernels from saturating on x86 processors without VNNI, which add two products of bytes in
/// 16 bits (its `reduce_range`).
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
    /// Codes of `bits` bits.
    ///
    /// # Errors
    /// [`QuantErrorKind::Option`] outside 4 to 8.
    pub fn new(bits: u8) -> Result<Self, QuantError> {
        if (4..=8).contains(&bits) {
            Ok(Self(bits))
        } else {
            Err(QuantErrorKind::Option.error(format!("weights of {bits} bits: expected 4 to 8")))
        }
    }

    /// How many.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The largest code; the smallest is its negative.
    pub fn largest(self) -> i8 {
        i8::MAX >> (8 - self.0)
    }
}

/// Codes of the weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightParams {
    /// `[channels]`, positive.
    pub scales: Vec<f32>,
    /// Same order as the weights.
    pub codes: Vec<i8>,
}

impl WeightParams {
    /// The values that the codes stand for, in the order of the weights.
    pub(crate) fn dequantized(&self) -> impl Iterator<Item = f32> {
        let row = self.codes.len() / self.scales.len().max(1);
        let rows = self.codes.chunks(row.max(1)).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |&code| f32::from(code) * scale))
    }
}

/// Quantizes `weights`, whose first axis is the output channel, each to its nearest code, with no scale below that
/// channel's floor (0 for none); the largest of a channel gets the largest code.
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

/// `wanted`, or `floor`, or for a channel of zeros any: its codes are all 0 under every scale.
pub(crate) fn scale_of(wanted: f32, floor: f32) -> f32 {
    let scale = wanted.max(floor);
    if scale < f32::MIN_POSITIVE {
        1.0
    } else {
        scale
    }
}

/// The nearest code to `steps`, a value divided by its scale.
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
        fn weights_come_back_within_half_a_step(weights in prop::collection::vec(-3.0_f32..3.0, 12), bits in 4_u8..=8) {
            let bits = WeightBits::new(bits).unwrap();
            let params = quantize_weights("w", &weights, &[0.0; 3], bits).unwrap();
            prop_assert!(params.codes.iter().all(|c| c.abs() <= bits.largest()));
            for (i, (value, back)) in weights.iter().zip(params.dequantized()).enumerate() {
                prop_assert!((back - value).abs() <= params.scales[i / 4] * 0.5001);
            }
        }
    }

    #[test]
    fn channels_without_width_are_harmless() {
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
    fn a_weight_that_is_no_number_is_named() {
        let weights = [1.0, 2.0, f32::NAN, 0.0];
        let error = quantize_weights("w", &weights, &[0.0; 2], WeightBits::default()).unwrap_err();
        assert_eq!(error.to_string(), "weight `w` is NaN in output channel 1");
    }

    #[test]
    fn bits_have_limits() {
        let largest: Vec<i8> = (4..=8)
            .map(|b| WeightBits::new(b).unwrap().largest())
            .collect();
        assert_eq!(largest, [7, 15, 31, 63, 127]);
        let error = WeightBits::new(3).unwrap_err();
        assert_eq!(error.to_string(), "weights of 3 bits: expected 4 to 8");
    }
}
