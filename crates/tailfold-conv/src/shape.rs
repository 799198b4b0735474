//! Shapes of a convolution's input, weight and output.

/// An invalid shape of a convolution.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// A length, kernel side or stride of zero.
    #[error("a convolution of {0:?} has a side of zero")]
    Zero(Box<ConvShape>),
    /// The kernel is larger than the padded image.
    #[error("a kernel of {kernel:?} does not fit into a padded image of {padded:?}")]
    Kernel {
        /// Height and width of the kernel.
        kernel: [usize; 2],
        /// Height and width of the image with its padding.
        padded: [usize; 2],
    },
}

/// A convolution without groups or dilation: images `[n, h, w, c_in]` to `[n, h', w', c_out]`, channels last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub n: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Channels of the input.
    pub c_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros on the left and on the right.
    pub padding: [usize; 2],
}

impl ConvShape {
    /// Height and width of the output.
    ///
    /// # Errors
    /// [`ShapeError`] when a side is zero or the kernel does not fit.
    pub fn output(&self) -> Result<[usize; 2], ShapeError> {
        let sides = [self.n, self.c_in, self.c_out];
        let pairs = [self.input, self.kernel, self.stride];
        if sides.contains(&0) || pairs.as_flattened().contains(&0) {
            return Err(ShapeError::Zero(Box::new(*self)));
        }
        let padded = [0, 1].map(|d| self.input[d] + 2 * self.padding[d]);
        if padded[0] < self.kernel[0] || padded[1] < self.kernel[1] {
            return Err(ShapeError::Kernel {
                kernel: self.kernel,
                padded,
            });
        }
        Ok([0, 1].map(|d| (padded[d] - self.kernel[d]) / self.stride[d] + 1))
    }

    /// Values of one input image.
    pub fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.c_in
    }

    /// Values of the weight, `[c_out, c_in, kh, kw]`.
    pub fn weight_len(&self) -> usize {
        self.c_out * self.c_in * self.kernel[0] * self.kernel[1]
    }

    /// Flattens the image of a plain 1x1 convolution to one row, so that the inner loops run over more pixels.
    pub(crate) fn flattened(mut self) -> Self {
        if self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0] {
            self.input = [1, self.input[0] * self.input[1]];
        }
        self
    }
}
