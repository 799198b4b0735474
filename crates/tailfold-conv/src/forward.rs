//! The forward convolution of one image at a time.

use crate::framed::Frame;
use crate::lanes::Isa;
use crate::panels::{Packed, pack};
use crate::shape::ConvShape;
use crate::tile::DotRow;

/// A convolution with packed weights, ready for images.
pub(crate) struct Forward {
    isa: Isa,
    shape: ConvShape,
    output: [usize; 2],
    packed: Vec<Packed>,
    pub(crate) frame: Frame,
}

impl Forward {
    /// `weight`: `[c_out, c_in, kh, kw]`.
    pub(crate) fn new(isa: Isa, shape: ConvShape, output: [usize; 2], weight: &[f32]) -> Self {
        let ConvShape {
            c_in,
            c_out,
            kernel: [kh, kw],
            ..
        } = shape;
        let packed = pack(isa, c_out, kh * kw * c_in, |tap, co| {
            let (at, ci) = (tap / c_in, tap % c_in);
            weight[(co * c_in + ci) * kh * kw + at]
        });
        Self {
            isa,
            shape,
            output,
            packed,
            frame: Frame::of_input(&shape),
        }
    }

    /// Convolves one image, `x` in its frame, to `out`, `[h', w', c_out]`.
    pub(crate) fn image(&self, x: &[f32], out: &mut [f32]) {
        let shape = &self.shape;
        let [height, width] = self.output;
        let row = self.frame.row();
        for Packed { panel, weights } in &self.packed {
            for y in 0..height {
                self.isa.run(DotRow {
                    x: &x[y * shape.stride[0] * row..],
                    pixel: shape.stride[1] * shape.c_in,
                    rows: shape.kernel[0],
                    row,
                    run: shape.kernel[1] * shape.c_in,
                    weights,
                    vectors: panel.vectors,
                    out: &mut out[y * width * shape.c_out + panel.from..],
                    out_pixel: shape.c_out,
                    channels: panel.channels,
                    pixels: width,
                    add: false,
                });
            }
        }
    }
}
