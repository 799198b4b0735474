//! The mean of each window of an image.

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Isa, Lanes, Task};
use crate::requantize::nearest;
use crate::shape::Window;

/// `clamp(round(sum * scale / (pixels * step)), low, high)`: sums of codes are exact, numerator and denominator are in
/// double precision, and ties round to even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Average {
    pub(crate) isa: Isa,
    pub(crate) window: Window,
    /// Whether the pixels of the padding count; those behind it never do.
    pub(crate) counts_padding: bool,
    /// Of the input and of the result.
    pub(crate) scales: [f64; 2],
    pub(crate) clamp: [i16; 2],
}

/// From where a window's taps lie in an image, along one axis.
#[derive(Clone, Copy)]
struct Taps {
    /// The first pixel, counted from the first one of the padding.
    start: usize,
    dilation: usize,
    pads: [usize; 2],
    size: usize,
}

impl Taps {
    /// Where tap `tap` lies, when that is in the image.
    #[inline(always)]
    fn pixel(self, tap: usize) -> Option<usize> {
        let at = (self.start + tap * self.dilation).checked_sub(self.pads[0])?;
        (at < self.size).then_some(at)
    }

    /// How many of `taps` count.
    fn count(self, taps: usize, padding: bool) -> usize {
        let end = self.pads[0] + self.size + self.pads[1];
        let counts = |&tap: &usize| {
            self.pixel(tap).is_some() || (padding && self.start + tap * self.dilation < end)
        };
        (0..taps).filter(counts).count()
    }
}

impl Average {
    /// # Errors
    /// [`KernelError::Scale`] for one that is not positive and finite, [`KernelError::Clamp`] for ends in the wrong order or
    /// beyond 255, [`KernelError::Shape`] when a window begins behind the image.
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
            "windows of {input:?} do not make {output:?}"
        )))
    }

    /// The means of the image `x`, which lies as `input` says, to `out`; its border is left alone. `sums` has one entry a
    /// channel.
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
    /// The compiler makes vectors of the plain loops, of the unit that it is compiled for.
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
                // A window that sees nothing has a sum of 0.
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
