//! Memory layout of the codes of one image.

/// Layout of one image's codes: channels last, inside a border of zeros for the padding of windows.
///
/// Codes are 16-bit numbers with the zero point subtracted. So padding is zero for every quantization, and no kernel
/// has to correct for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Number of channels, without padding channels.
    pub channels: usize,
    /// Number of rows without the border.
    pub height: usize,
    /// Number of pixels per row without the border.
    pub width: usize,
    /// The border of zeros.
    pub border: Border,
}

/// Rows and pixels of zeros around an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Pixels before each row.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Pixels after each row.
    pub right: usize,
}

impl Border {
    /// The smallest border that is at least as wide as both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

impl Frame {
    /// An image without a border.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
            border: Border::default(),
        }
    }

    /// Number of codes from one pixel to the next: the channels, padded so that vectors of eight fit.
    pub fn pitch(&self) -> usize {
        if self.channels <= 4 {
            4
        } else {
            self.channels.next_multiple_of(8)
        }
    }

    /// Number of codes from one row to the next.
    pub fn row(&self) -> usize {
        (self.border.left + self.width + self.border.right) * self.pitch()
    }

    /// Number of codes in all rows, including the border.
    pub fn image(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row()
    }

    /// Number of codes to allocate: the image, and the codes behind it that windows and vectors may read.
    /// Their values do not affect results.
    pub fn len(&self) -> usize {
        self.image() + 2 * self.row() + 64
    }

    /// Whether the image has no codes.
    pub fn is_empty(&self) -> bool {
        self.channels * self.height * self.width == 0
    }

    /// Index of the first channel of pixel (`y`, `x`).
    pub fn at(&self, y: usize, x: usize) -> usize {
        (self.border.top + y) * self.row() + (self.border.left + x) * self.pitch()
    }

    /// Whether the rows follow each other without a gap, so that all pixels are one row.
    pub(crate) fn is_flat(&self) -> bool {
        self.border.left == 0 && self.border.right == 0
    }

    /// Zeros the border of `codes`.
    pub(crate) fn clear_border(&self, codes: &mut [i16]) {
        let (row, pitch) = (self.row(), self.pitch());
        let inside = self.border.top * row;
        codes[..inside].fill(0);
        codes[inside + self.height * row..self.image()].fill(0);
        let (left, right) = (self.border.left * pitch, self.border.right * pitch);
        if left + right > 0 {
            for line in codes[inside..][..self.height * row].chunks_exact_mut(row) {
                line[..left].fill(0);
                line[row - right..].fill(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_border_leaves_image_unchanged() {
        let frame = Frame {
            border: Border {
                top: 1,
                left: 2,
                bottom: 3,
                right: 0,
            },
            ..Frame::new(5, 2, 3)
        };
        assert_eq!((frame.pitch(), frame.row(), frame.image()), (8, 40, 240));
        let mut codes = vec![7; frame.len()];
        frame.clear_border(&mut codes);
        let kept: usize = codes[..frame.image()].iter().filter(|&&c| c == 7).count();
        assert_eq!(kept, 2 * 3 * 8);
        assert!((0..2).all(|y| (0..3).all(|x| codes[frame.at(y, x)] == 7)));
    }
}
