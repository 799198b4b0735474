//! Images in a frame of zeros, so that windows at the border need no special case.

use crate::lanes::LANES;
use crate::shape::ConvShape;
use crate::tile::PANEL;

/// Size of an image and of the frame of zeros around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Height and width of the image.
    size: [usize; 2],
    channels: usize,
    /// Rows of zeros above and below.
    vertical: [usize; 2],
    /// Columns of zeros on the left and on the right.
    horizontal: [usize; 2],
}

impl Frame {
    /// The frame of an input: its padding.
    pub(crate) fn of_input(shape: &ConvShape) -> Self {
        let [vertical, horizontal] = shape.padding;
        Self {
            size: shape.input,
            channels: shape.c_in,
            vertical: [vertical; 2],
            horizontal: [horizontal; 2],
        }
    }

    /// The frame of an output's gradient: the rows and columns outside it that the data gradient reads.
    pub(crate) fn of_output(shape: &ConvShape, output: [usize; 2]) -> Self {
        let [vertical, horizontal] = [0, 1].map(|d| {
            let phases = || 0..shape.input[d].min(shape.stride[d]);
            let before = phases().map(|first| {
                let at = first + shape.padding[d];
                let taps = taps(shape.kernel[d], shape.stride[d], at % shape.stride[d]);
                (taps.saturating_sub(1)).saturating_sub(at / shape.stride[d])
            });
            let last = (shape.input[d] - 1 + shape.padding[d]) / shape.stride[d];
            [
                before.max().unwrap_or(0),
                (last + 1).saturating_sub(output[d]),
            ]
        });
        Self {
            size: output,
            channels: shape.c_out,
            vertical,
            horizontal,
        }
    }

    /// Values from one row to the next.
    pub(crate) fn row(&self) -> usize {
        (self.size[1] + self.horizontal[0] + self.horizontal[1]) * self.channels
    }

    /// Index of the first value of pixel `[y, x]`, counted from the frame's corner.
    pub(crate) fn corner(&self, y: usize, x: usize) -> usize {
        y * self.row() + x * self.channels
    }

    /// Rows above and columns on the left of the image.
    pub(crate) fn before(&self) -> [usize; 2] {
        [self.vertical[0], self.horizontal[0]]
    }

    /// Whether the frame is empty, so that the image serves without a copy.
    pub(crate) fn is_bare(&self) -> bool {
        self.vertical == [0; 2] && self.horizontal == [0; 2]
    }

    /// An image and frame of zeros, with one panel of readable values behind the last one.
    pub(crate) fn zeros(&self) -> Vec<f32> {
        let rows = self.size[0] + self.vertical[0] + self.vertical[1];
        vec![0.0; rows * self.row() + PANEL * LANES]
    }

    /// The rows of the image within `framed`, top to bottom.
    pub(crate) fn rows_mut<'a>(
        &self,
        framed: &'a mut [f32],
    ) -> impl Iterator<Item = &'a mut [f32]> {
        let start = self.horizontal[0] * self.channels;
        let len = self.size[1] * self.channels;
        framed
            .chunks_exact_mut(self.row())
            .skip(self.vertical[0])
            .take(self.size[0])
            .map(move |row| &mut row[start..start + len])
    }

    /// Copies `image`, `[h, w, c]`, into `framed`.
    pub(crate) fn fill(&self, image: &[f32], framed: &mut [f32]) {
        let len = self.size[1] * self.channels;
        for (row, image) in self.rows_mut(framed).zip(image.chunks_exact(len)) {
            row.copy_from_slice(image);
        }
    }
}

/// Taps of a kernel side that meet the input positions of `phase` modulo the stride.
pub(crate) fn taps(kernel: usize, stride: usize, phase: usize) -> usize {
    kernel.saturating_sub(phase).div_ceil(stride)
}
