//! The gradient of a convolution's weight, summed over the pixels of each image and then over images in a fixed order.

use crate::framed::Frame;
use crate::lanes::{Isa, LANES};
use crate::panels::{Panel, panels};
use crate::shape::ConvShape;
use crate::tile::OuterRow;

/// Shapes and frames of a weight gradient, ready for images.
pub(crate) struct WeightGradient {
    isa: Isa,
    shape: ConvShape,
    output: [usize; 2],
    panels: Vec<Panel>,
    input: Frame,
    grad: Frame,
}

impl WeightGradient {
    pub(crate) fn new(isa: Isa, shape: ConvShape, output: [usize; 2]) -> Self {
        Self {
            isa,
            shape,
            output,
            panels: panels(isa, shape.c_out),
            input: Frame::of_input(&shape),
            grad: Frame::of_output(&shape, output),
        }
    }

    /// Length of a row of sums: the output channels, rounded up to whole vectors.
    fn stride(&self) -> usize {
        self.shape.c_out.next_multiple_of(LANES)
    }

    /// Zeroed sums, `[kh, kw, c_in, c_out in whole vectors]`.
    pub(crate) fn zeros(&self) -> Vec<f32> {
        let [kh, kw] = self.shape.kernel;
        vec![0.0; kh * kw * self.shape.c_in * self.stride()]
    }

    /// Adds the gradient of one image to `sums`, from its input and its output's gradient, both in their frames.
    pub(crate) fn image(&self, x: &[f32], grad: &[f32], sums: &mut [f32]) {
        let shape = &self.shape;
        let run = shape.kernel[1] * shape.c_in;
        let [above, left] = self.grad.before();
        for panel in &self.panels {
            for ky in 0..shape.kernel[0] {
                self.isa.run(OuterRow {
                    a: &x[self.input.corner(ky, 0)..],
                    a_pixel: shape.stride[1] * shape.c_in,
                    a_row: shape.stride[0] * self.input.row(),
                    b: &grad[self.grad.corner(above, left) + panel.from..],
                    b_pixel: shape.c_out,
                    b_row: self.grad.row(),
                    size: self.output,
                    run,
                    vectors: panel.vectors,
                    sums: &mut sums[ky * run * self.stride() + panel.from..],
                    stride: self.stride(),
                });
            }
        }
    }

    /// Adds the sums of all groups, first to last, and returns them as a weight `[c_out, c_in, kh, kw]`.
    pub(crate) fn finish(&self, groups: &[Vec<f32>]) -> Vec<f32> {
        let ConvShape {
            c_in,
            c_out,
            kernel: [kh, kw],
            ..
        } = self.shape;
        let taps = kh * kw;
        let mut total = self.zeros();
        for sums in groups {
            for (total, value) in total.iter_mut().zip(sums) {
                *total += value;
            }
        }
        let mut weight = vec![0.0; c_out * c_in * taps];
        for (tap, row) in total.chunks_exact(self.stride()).enumerate() {
            let (at, ci) = (tap / c_in, tap % c_in);
            for (co, value) in row.iter().take(c_out).enumerate() {
                weight[(co * c_in + ci) * taps + at] = *value;
            }
        }
        weight
    }
}
