//! The mean of a whole image, and the maximum of windows.

use crate::KernelError;
use crate::frame::Frame;
use crate::requantize::Requantize;
use crate::shape::Window;

/// Sums of all pixels, channel by channel, to `sums`, which has one entry a channel.
///
/// They are exact: an image has fewer than 2^23 pixels.
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

/// The mean of a whole image as codes: `requantize` has the scales' ratio over the number of pixels as its multiplier.
///
/// # Errors
/// [`KernelError::Shape`] for more than 2^23 pixels, whose sum could pass 32 bits.
pub(crate) fn check_mean(input: &Frame) -> Result<(), KernelError> {
    if input.height * input.width < 1 << 23 {
        return Ok(());
    }
    Err(KernelError::Shape(format!(
        "the sum of {} x {} pixels may not fit 32 bits",
        input.height, input.width
    )))
}

/// Codes of the mean, to the only pixel of `output`.
pub(crate) fn mean(sums: &[i32], requantize: &Requantize, output: &Frame, out: &mut [i16]) {
    let pixel = &mut out[output.at(0, 0)..][..sums.len()];
    for (channel, (code, &sum)) in pixel.iter_mut().zip(sums).enumerate() {
        *code = requantize.code(channel, sum);
    }
}

/// `code` of each mean over the length of all, to the pixel `out`. `scale` makes a mean of a sum; `epsilon` is added to
/// the sum of squares. In double precision, each operation rounded once, squares added in the order of channels.
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

/// The maximum of a window that meets no pixel: no code is smaller.
pub(crate) const EMPTY: i16 = -255;

/// The largest code of each window; padding never counts.
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
