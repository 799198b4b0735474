//! Conversion between real values, channels first, and codes, channels last.

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Isa, LANES, Lanes, Task};

/// Scale and range of a quantized tensor, its zero point subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Scale, positive and finite: the width of a step.
    pub scale: f32,
    /// The smallest code.
    pub low: i16,
    /// The largest code.
    pub high: i16,
}

impl Steps {
    /// The steps of a tensor with `scale`, `zero_point` and quantized values within `range`.
    ///
    /// # Errors
    /// [`KernelError::Scale`] for a scale that is not positive and finite, [`KernelError::ZeroPoint`] for a zero point
    /// outside the range.
    pub fn new(scale: f32, zero_point: i16, range: [i16; 2]) -> Result<Self, KernelError> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(KernelError::Scale { value: scale });
        }
        let [low, high] = range;
        if zero_point < low || zero_point > high {
            return Err(KernelError::ZeroPoint {
                value: zero_point,
                low,
                high,
            });
        }
        Ok(Self {
            scale,
            low: low - zero_point,
            high: high - zero_point,
        })
    }

    /// The code of `value`, as ONNX's QuantizeLinear: the quotient is in single precision, and ties round to even.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to 16-bit numbers first"
    )]
    #[inline(always)]
    pub fn code(self, value: f32) -> i16 {
        (value / self.scale)
            .round_ties_even()
            .clamp(f32::from(self.low), f32::from(self.high)) as i16
    }

    /// The same as [`Steps::code`] for a value that is not NaN, with operations that every instruction set has.
    ///
    /// Adding 1.5 * 2^23 to a number below 2^22 in magnitude rounds the number, ties to even, and leaves it in the low
    /// bits of the sum.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are the code")]
    #[inline(always)]
    fn plain_code(self, value: f32) -> i16 {
        let quotient = value / self.scale;
        let clamped = quotient.max(f32::from(self.low)).min(f32::from(self.high));
        (clamped + 12_582_912.0).to_bits() as i16
    }

    /// The real value of `code`.
    pub fn value(self, code: i16) -> f32 {
        f32::from(code) * self.scale
    }
}

/// Writes the codes of `values`, `[channels, height, width]`, to `out`. The border is not written.
///
/// # Errors
/// [`KernelError::Input`] for the first NaN, which has no code.
pub(crate) fn quantize(
    isa: Isa,
    steps: Steps,
    values: &[f32],
    frame: &Frame,
    out: &mut [i16],
) -> Result<(), KernelError> {
    if let Some(index) = values.iter().position(|v| v.is_nan()) {
        return Err(KernelError::Input { index });
    }
    isa.run(Quantize {
        steps,
        values,
        frame,
        out,
    });
    Ok(())
}

struct Quantize<'a> {
    steps: Steps,
    values: &'a [f32],
    frame: &'a Frame,
    out: &'a mut [i16],
}

impl Task for Quantize<'_> {
    /// A plain loop, which the compiler vectorises for the instruction set of `L`.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            steps,
            values,
            frame,
            out,
        } = self;
        let (pitch, width) = (frame.pitch(), frame.width);
        for (channel, plane) in values.chunks_exact(frame.height * width).enumerate() {
            for (y, row) in plane.chunks_exact(width).enumerate() {
                let to = &mut out[frame.at(y, 0)..][..width * pitch];
                for (pixels, values) in to.chunks_mut(LANES * pitch).zip(row.chunks(LANES)) {
                    let mut codes = [0; LANES];
                    for (code, &value) in codes.iter_mut().zip(values) {
                        *code = steps.plain_code(value);
                    }
                    for (pixel, code) in pixels.chunks_exact_mut(pitch).zip(codes) {
                        pixel[channel] = code;
                    }
                }
            }
        }
    }
}

/// Writes the real values of the codes `x` to `out`, `[channels, height, width]`.
pub(crate) fn dequantize(steps: Steps, x: &[i16], frame: &Frame, out: &mut [f32]) {
    let (pitch, line) = (frame.pitch(), frame.width * frame.pitch());
    for (channel, plane) in out.chunks_exact_mut(frame.height * frame.width).enumerate() {
        for (y, row) in plane.chunks_exact_mut(frame.width).enumerate() {
            let from = &x[frame.at(y, 0)..][..line];
            for (value, pixel) in row.iter_mut().zip(from.chunks_exact(pitch)) {
                *value = steps.value(pixel[channel]);
            }
        }
    }
}

/// Copies every `stride`-th pixel of `x` from pixel `start` on, both `[rows, pixels]`, to the channels of `out` from
/// `first` on; other channels become zero.
pub(crate) fn subsample(
    [start, stride]: [[usize; 2]; 2],
    first: usize,
    (input, x): (&Frame, &[i16]),
    (output, out): (&Frame, &mut [i16]),
) {
    for oy in 0..output.height {
        for ox in 0..output.width {
            let from = input.at(start[0] + oy * stride[0], start[1] + ox * stride[1]);
            let to = output.at(oy, ox);
            let pixel = &mut out[to..][..output.pitch()];
            pixel[..first].fill(0);
            pixel[first..first + input.channels].copy_from_slice(&x[from..][..input.channels]);
            pixel[first + input.channels..].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_code_equals_code(
            value in -300.0_f32..300.0, half in -600_i16..600, scale in 1e-3_f32..2.0, zero in 0_i16..256,
        ) {
            let steps = Steps::new(scale, zero, [0, 255]).unwrap();
            let tie = f32::from(half) * 0.5 * scale;
            for value in [value, tie, f32::INFINITY, -f32::INFINITY, -0.0] {
                prop_assert_eq!(steps.plain_code(value), steps.code(value));
            }
        }
    }

    #[test]
    fn nan_input_is_error() {
        let steps = Steps::new(0.5, 3, [0, 255]).unwrap();
        let frame = Frame::new(1, 1, 3);
        let mut out = vec![0; frame.len()];
        let values = [1.0, f32::NAN, 2.0];
        let error = quantize(Isa::Portable, steps, &values, &frame, &mut out).unwrap_err();
        assert_eq!(error, KernelError::Input { index: 1 });
    }
}
