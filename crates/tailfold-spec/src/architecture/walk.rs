//! Appends layers one by one: channels, sizes and padding follow from the layers before.

use super::plan::{Activation, ConvNorm, MaxPool};

/// Number of zeros around the input of a convolution with odd kernel size `k`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Padding {
    /// `k / 2` on every side.
    Centred,
    /// Enough zeros for `ceil(length / stride)` outputs, with an odd zero after the image, as TensorFlow's `SAME`.
    Same,
}

/// Shape of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) groups: usize,
}

impl Kernel {
    /// A convolution without groups.
    pub(super) const fn dense(size: usize, stride: usize) -> Self {
        Self {
            size,
            stride,
            groups: 1,
        }
    }
}

/// Shape of the output of the layers added so far.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) channels: usize,
    size: [usize; 2],
    padding: Padding,
}

impl Walk {
    /// Starts at the input image.
    pub(super) fn new([channels, height, width]: [usize; 3], padding: Padding) -> Self {
        Self {
            channels,
            size: [height, width],
            padding,
        }
    }

    /// Appends a convolution; `index` is its position in a block.
    pub(super) fn conv(
        &mut self,
        (scope, index): (&str, Option<usize>),
        published: [String; 2],
        to: usize,
        kernel: Kernel,
        activation: Activation,
    ) -> ConvNorm {
        let from = std::mem::replace(&mut self.channels, to);
        let pads = self.slide(kernel.size, kernel.stride, self.padding);
        ConvNorm {
            scope: scope.to_owned(),
            index,
            published,
            from,
            to,
            kernel: kernel.size,
            stride: kernel.stride,
            groups: kernel.groups,
            pads,
            size: self.size,
            activation,
        }
    }

    /// Appends a max pooling.
    pub(super) fn max_pool(&mut self, kernel: usize, stride: usize) -> MaxPool {
        let pads = self.slide(kernel, stride, Padding::Centred);
        MaxPool {
            kernel,
            stride,
            pads,
            size: self.size,
        }
    }

    /// Slides a window over the image: sets the new size and returns the padding.
    fn slide(&mut self, kernel: usize, stride: usize, padding: Padding) -> [usize; 4] {
        let pads = self.size.map(|length| match padding {
            Padding::Centred => (kernel / 2, kernel / 2),
            Padding::Same => {
                let needed = (length.div_ceil(stride) - 1) * stride + kernel;
                let total = needed.saturating_sub(length);
                (total / 2, total.div_ceil(2))
            }
        });
        for (length, (before, after)) in self.size.iter_mut().zip(pads) {
            *length = (*length + before + after - kernel) / stride + 1;
        }
        let [(top, bottom), (left, right)] = pads;
        [top, left, bottom, right]
    }
}
