//! Mean of a whole image, and maximum of windows.

use crate::KernelError;
use crate::frame::Frame;
use crate::requantize::Requantize;
use crate::shape::Window;

/// Writes the sum of all pixels to `sums`, which has one entry per channel.
///
/// Sums are exact, because an image has fewer than 2^23 pixels.
pub(crate) fn sum_pixels(input: &Frame, x: &[i16], sums: &mut [i32]) {
    sums.fill(0);
    for y in 0..input.height {
        let line = &x[input.at(y, 0)..][..input.width * input.pitch()];
        for pixel in line.chunks_exact(input.pitch()) {
            for (sum, &code) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(code);
            }
        }
    }
}

/// Checks that the sum of all pixels of an image fits 32 bits.
///
/// # Errors
/// [`KernelError::Shape`] for 2^23 pixels or more.
pub(crate) fn check_mean(input: &Frame) -> Result<(), KernelError> {
    if input.height * input.width < 1 << 23 {
        return Ok(());
    }
    Err(KernelError::Shape(format!(
        "the sum of {} x {} pixels may not fit 32 bits",
        input.height, input.width
    )))
}

/// Writes the mean to the only pixel of `output`. The multiplier of `requantize` includes the division by the number of
/// pixels.
pub(crate) fn mean(sums: &[i32], requantize: &Requantize, output: &Frame, out: &mut [i16]) {
    let pixel = &mut out[output.at(0, 0)..][..sums.len()];
    for (channel, (code, &sum)) in pixel.iter_mut().zip(sums).enumerate() {
        *code = requantize.code(channel, sum);
    }
}

/// Divides the means by their Euclidean length, and writes the result, quantized with `code`, to the pixel `out`.
///
/// `scale` turns a sum into a mean, and `epsilon` is added to the sum of squares. Every operation is in double
/// precision and rounded once; squares are added in the order of channels.
pub(crate) fn unit(
    sums: &[i32],
    scale: f64,
    epsilon: f64,
    code: impl Fn(f64) -> i16,
    out: &mut [i16],
) {
    let means = sums.iter().map(|&sum| f64::from(sum) * scale);
    let squares: f64 = means.clone().map(|mean| mean * mean).sum();
    let length = (squares + epsilon).sqrt();
    for (out, mean) in out.iter_mut().zip(means) {
        *out = code(mean / length);
    }
}

/// The result of a window without any pixel: the smallest possible code.
pub(crate) const EMPTY: i16 = -255;

/// Writes the largest code of each window to `out`, without regard to padding.
pub(crate) fn max_windows(
    window: &Window,
    input: &Frame,
    x: &[i16],
    output: &Frame,
    out: &mut [i16],
) {
    let inside = |start: usize, pad: usize, tap: usize, size: usize| {
        (start + tap).checked_sub(pad).filter(|&at| at < size)
    };
    for oy in 0..output.height {
        for ox in 0..output.width {
            let to = output.at(oy, ox);
            let pixel = &mut out[to..][..output.channels];
            pixel.fill(EMPTY);
            for row in 0..window.kernel[0] {
                let tap = row * window.dilation[0];
                let Some(y) = inside(oy * window.stride[0], window.pads.top, tap, input.height)
                else {
                    continue;
                };
                for column in 0..window.kernel[1] {
                    let tap = column * window.dilation[1];
                    let Some(x_) =
                        inside(ox * window.stride[1], window.pads.left, tap, input.width)
                    else {
                        continue;
                    };
                    let from = &x[input.at(y, x_)..][..output.channels];
                    for (largest, &code) in pixel.iter_mut().zip(from) {
                        *largest = code.max(*largest);
                    }
                }
            }
        }
    }
}
