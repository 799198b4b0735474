//! Rows of an output image: what threads share among them.

use std::ops::Range;

use crate::frame::Frame;

/// Some rows of an image, and the memory that they lie in.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// By their number in the image.
    pub(crate) rows: Range<usize>,
    codes: &'a mut [i16],
    /// Codes of the image before these.
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

    /// The rows before `row`, and those from it on.
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

    /// The same part once more.
    pub(crate) fn reborrow(&mut self) -> Part<'_> {
        Part {
            rows: self.rows.clone(),
            codes: self.codes,
            before: self.before,
        }
    }

    /// `count` codes from place `at` of the image on, which belong to these rows.
    #[inline(always)]
    pub(crate) fn at(&mut self, at: usize, count: usize) -> &mut [i16] {
        &mut self.codes[at - self.before..][..count]
    }
}
