//! AveragePool on INT8 activations: the mean of each window of an image.

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Isa, Lanes, Task};
use crate::requantize::nearest;
use crate::shape::Window;

/// Computes `clamp(round(sum * scale / (pixels * step)), low, high)` for each window and channel.
///
/// `sum` is the exact sum of the window's codes, `pixels` the number of taps that count, `scale` the input's scale and
/// `step` the result's. Numerator and denominator are in double precision, and ties round to even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Average {
    pub(crate) isa: Isa,
    pub(crate) window: Window,
    /// Whether taps in the padding count towards the divisor. Taps beyond the padded image never do.
    pub(crate) counts_padding: bool,
    /// Scales of the input and of the result.
    pub(crate) scales: [f64; 2],
    pub(crate) clamp: [i16; 2],
}

/// Positions of a window's taps along one axis of an image.
#[derive(Clone, Copy)]
struct Taps {
    /// Position of the first tap in the padded image.
    start: usize,
    dilation: usize,
    pads: [usize; 2],
    size: usize,
}

impl Taps {
    /// Returns the position of tap `tap` in the image; `None` outside of it.
    #[inline(always)]
    fn pixel(self, tap: usize) -> Option<usize> {
        let at = (self.start + tap * self.dilation).checked_sub(self.pads[0])?;
        (at < self.size).then_some(at)
    }

    /// Returns how many of the first `taps` taps lie in the image, or in the padded image when `padding` is true.
    fn count(self, taps: usize, padding: bool) -> usize {
        let end = self.pads[0] + self.size + self.pads[1];
        let counts = |&tap: &usize| {
            self.pixel(tap).is_some() || (padding && self.start + tap * self.dilation < end)
        };
        (0..taps).filter(counts).count()
    }
}

impl Average {
    /// Checks that the windows over `input` give `output`.
    ///
    /// # Errors
    /// [`KernelError::Ratio`] for a scale that is not positive and finite, [`KernelError::Clamp`] for a clamp in the
    /// wrong order or beyond 255, and [`KernelError::Shape`] for other channels or a window that begins behind the
    /// image.
    pub(crate) fn check(&self, input: &Frame, output: &Frame) -> Result<(), KernelError> {
        let [low, high] = self.clamp;
        if low > high || low < -255 || high > 255 {
            return Err(KernelError::Clamp { low, high });
        }
        if let Some(&value) = self.scales.iter().find(|s| !(**s > 0.0 && s.is_finite())) {
            return Err(KernelError::Ratio { channel: 0, value });
        }
        let pads = self.window.pads;
        let begins = |outputs: usize, axis: usize, size: usize, before: usize| {
            (outputs - 1) * self.window.stride[axis] < size + before
        };
        let sound = input.channels == output.channels
            && begins(output.height, 0, input.height, pads.top)
            && begins(output.width, 1, input.width, pads.left);
        if sound {
            return Ok(());
        }
        Err(KernelError::Shape(format!(
            "windows over {input:?} do not give {output:?}"
        )))
    }

    /// Writes the means of the image `x`, laid out as `input`, to `out`, laid out as `output`; the border is not
    /// written.
    ///
    /// `sums` is scratch memory with one entry per channel.
    pub(crate) fn run(
        self,
        input: (&Frame, &[i16]),
        output: (&Frame, &mut [i16]),
        sums: &mut [i32],
    ) {
        self.isa.run(Run {
            average: self,
            input,
            output,
            sums,
        });
    }
}

struct Run<'a> {
    average: Average,
    input: (&'a Frame, &'a [i16]),
    output: (&'a Frame, &'a mut [i16]),
    sums: &'a mut [i32],
}

impl Task for Run<'_> {
    /// Plain loops, which the compiler vectorises for the instruction set of `L`.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Average {
            window,
            counts_padding,
            scales: [scale, step],
            clamp,
            ..
        } = self.average;
        let ((input, x), (output, out), sums) = (self.input, self.output, self.sums);
        let taps = |axis: usize, at: usize| Taps {
            start: at * window.stride[axis],
            dilation: window.dilation[axis],
            pads: [
                [window.pads.top, window.pads.bottom],
                [window.pads.left, window.pads.right],
            ][axis],
            size: [input.height, input.width][axis],
        };
        let [rows, columns] = window.kernel;
        for oy in 0..output.height {
            let down = taps(0, oy);
            for ox in 0..output.width {
                let across = taps(1, ox);
                sums.fill(0);
                for y in (0..rows).filter_map(|tap| down.pixel(tap)) {
                    for x_ in (0..columns).filter_map(|tap| across.pixel(tap)) {
                        let pixel = &x[input.at(y, x_)..][..sums.len()];
                        for (sum, &code) in sums.iter_mut().zip(pixel) {
                            *sum += i32::from(code);
                        }
                    }
                }
                let pixels =
                    down.count(rows, counts_padding) * across.count(columns, counts_padding);
                // A window without any tap that counts has the sum 0; the divisor must not be 0 as well.
                let pixels = u32::try_from(pixels.max(1)).map_or(f64::INFINITY, f64::from);
                let divisor = pixels * step;
                let to = &mut out[output.at(oy, ox)..][..sums.len()];
                for (to, &sum) in to.iter_mut().zip(&*sums) {
                    *to = nearest(f64::from(sum) * scale / divisor, clamp);
                }
            }
        }
    }
}
