//! The gradient of a convolution's input, computed as one convolution of the output's gradient per phase of the stride.

use crate::framed::{Frame, taps};
use crate::lanes::Isa;
use crate::panels::{Packed, pack};
use crate::shape::ConvShape;
use crate::tile::DotRow;

/// Input positions `first, first + stride, ...` along one side, and the taps that meet them.
#[derive(Debug, Clone, Copy)]
struct Phase {
    /// First position.
    first: usize,
    /// Number of positions.
    count: usize,
    /// Number of taps along the kernel side that meet these positions.
    taps: usize,
    /// The first of these taps.
    tap: usize,
    /// Row or column of the frame at which the first position's window starts.
    start: usize,
}

/// A data gradient with packed weights, ready for images.
pub(crate) struct DataGradient {
    isa: Isa,
    shape: ConvShape,
    pub(crate) frame: Frame,
    phases: Vec<([Phase; 2], Vec<Packed>)>,
}

fn phases(shape: &ConvShape, d: usize, before: usize) -> Vec<Phase> {
    let (side, stride) = (shape.input[d], shape.stride[d]);
    let phase = |first: usize| {
        let at = first + shape.padding[d];
        let taps = taps(shape.kernel[d], stride, at % stride);
        Phase {
            first,
            count: (side - first).div_ceil(stride),
            taps,
            tap: at % stride,
            start: (at / stride + before + 1).saturating_sub(taps.max(1)),
        }
    };
    (0..stride.min(side)).map(phase).collect()
}

impl DataGradient {
    /// `weight`: `[c_out, c_in, kh, kw]`.
    pub(crate) fn new(isa: Isa, shape: ConvShape, output: [usize; 2], weight: &[f32]) -> Self {
        let frame = Frame::of_output(&shape, output);
        let [above, left] = frame.before();
        let [kh, kw] = shape.kernel;
        let c_out = shape.c_out;
        let mut all = Vec::new();
        for y in phases(&shape, 0, above) {
            for x in phases(&shape, 1, left) {
                let packed = pack(isa, shape.c_in, y.taps * x.taps * c_out, |tap, ci| {
                    let (at, co) = (tap / c_out, tap % c_out);
                    // The window runs forwards over the output, backwards over the kernel.
                    let ky = y.tap + shape.stride[0] * (y.taps - 1 - at / x.taps);
                    let kx = x.tap + shape.stride[1] * (x.taps - 1 - at % x.taps);
                    weight[((co * shape.c_in + ci) * kh + ky) * kw + kx]
                });
                all.push(([y, x], packed));
            }
        }
        Self {
            isa,
            shape,
            frame,
            phases: all,
        }
    }

    /// Computes the gradient of one image, `[h, w, c_in]`, from the output's gradient `grad` in its frame. `add` adds
    /// it to `out` instead of overwriting `out`.
    pub(crate) fn image(&self, grad: &[f32], out: &mut [f32], add: bool) {
        let shape = &self.shape;
        for ([y, x], packed) in &self.phases {
            for Packed { panel, weights } in packed {
                for i in 0..y.count {
                    let pixel = (y.first + i * shape.stride[0]) * shape.input[1] + x.first;
                    self.isa.run(DotRow {
                        x: &grad[self.frame.corner(y.start + i, x.start)..],
                        pixel: shape.c_out,
                        rows: if x.taps == 0 { 0 } else { y.taps },
                        row: self.frame.row(),
                        run: x.taps * shape.c_out,
                        weights,
                        vectors: panel.vectors,
                        out: &mut out[pixel * shape.c_in + panel.from..],
                        out_pixel: shape.stride[1] * shape.c_in,
                        channels: panel.channels,
                        pixels: x.count,
                        add,
                    });
                }
            }
        }
    }
}
