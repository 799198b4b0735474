//! The geometry of a window that slides over an image.

use crate::KernelError;
use crate::frame::{Border, Frame};

/// Kernel size, stride, dilation and padding of a sliding window, each `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of taps.
    pub kernel: [usize; 2],
    /// Distance from one window to the next.
    pub stride: [usize; 2],
    /// Distance from one tap to the next.
    pub dilation: [usize; 2],
    /// Padding around the image.
    pub pads: Border,
}

impl Window {
    /// A window with one tap, stride 1 and no padding.
    pub fn point() -> Self {
        Self {
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            pads: Border::default(),
        }
    }

    /// `[height, width]` of the output for an image of `height` and `width`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when a size is zero or the window does not fit.
    pub fn output(&self, height: usize, width: usize) -> Result<[usize; 2], KernelError> {
        let pads = [
            self.pads.top + self.pads.bottom,
            self.pads.left + self.pads.right,
        ];
        let mut out = [0; 2];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let (k, s, d) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
            let fits = k > 0 && s > 0 && d > 0 && (k - 1) * d < size + pads[axis];
            if !fits {
                return Err(KernelError::Shape(format!(
                    "a window of {k} taps, {d} apart, in steps of {s}, does not fit {size} pixels padded by {}",
                    pads[axis]
                )));
            }
            out[axis] = (size + pads[axis] - (k - 1) * d - 1) / s + 1;
        }
        Ok(out)
    }

    /// Returns whether every window contains a pixel of the image.
    ///
    /// The taps of a dilated window may all lie in the padding, on both sides of a narrow image.
    pub fn always_meets_the_image(&self) -> bool {
        let Border {
            top,
            left,
            bottom,
            right,
        } = self.pads;
        let dense = self.dilation == [1, 1] || self.pads == Border::default();
        dense && top.max(bottom) < self.kernel[0] && left.max(right) < self.kernel[1]
    }

    /// Index in `frame` at which the window of output pixel (`y`, `x`) begins. The border of `frame` must be at least
    /// as wide as the padding.
    pub(crate) fn start(&self, frame: &Frame, y: usize, x: usize) -> usize {
        let row = frame.border.top + y * self.stride[0] - self.pads.top;
        let pixel = frame.border.left + x * self.stride[1] - self.pads.left;
        row * frame.row() + pixel * frame.pitch()
    }

    /// Number of codes from one window of a row to the next.
    pub(crate) fn step(&self, frame: &Frame) -> usize {
        self.stride[1] * frame.pitch()
    }

    /// Checks that the windows over `frame` give an output as large as `out`, and that the border of `frame` holds the
    /// padding.
    pub(crate) fn check(&self, frame: &Frame, out: &Frame) -> Result<(), KernelError> {
        let expected = self.output(frame.height, frame.width)?;
        let enough = frame.border.union(self.pads) == frame.border;
        if expected == [out.height, out.width] && enough {
            return Ok(());
        }
        Err(KernelError::Shape(format!(
            "windows over {frame:?} give {expected:?} pixels, not {out:?}"
        )))
    }
}
