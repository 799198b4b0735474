//! Rows of an output image, which threads share among them.

use std::ops::Range;

use crate::frame::Frame;

/// Some rows of an image, and the memory that holds them.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// Indices of the rows in the image.
    pub(crate) rows: Range<usize>,
    codes: &'a mut [i16],
    /// Number of the image's codes before `codes`.
    before: usize,
}

impl<'a> Part<'a> {
    /// All rows of `frame`.
    pub(crate) fn whole(frame: &Frame, codes: &'a mut [i16]) -> Self {
        Self {
            rows: 0..frame.height,
            codes,
            before: 0,
        }
    }

    /// Splits the part into the rows before `row` and the rows from `row` on.
    pub(crate) fn split(self, frame: &Frame, row: usize) -> [Self; 2] {
        let (upper, lower) = self.codes.split_at_mut(frame.at(row, 0) - self.before);
        [
            Self {
                rows: self.rows.start..row,
                codes: upper,
                before: self.before,
            },
            Self {
                rows: row..self.rows.end,
                codes: lower,
                before: frame.at(row, 0),
            },
        ]
    }

    /// Borrows the same part again.
    pub(crate) fn reborrow(&mut self) -> Part<'_> {
        Part {
            rows: self.rows.clone(),
            codes: self.codes,
            before: self.before,
        }
    }

    /// `count` codes from index `at` of the image on, which lie in these rows.
    #[inline(always)]
    pub(crate) fn at(&mut self, at: usize, count: usize) -> &mut [i16] {
        &mut self.codes[at - self.before..][..count]
    }
}
