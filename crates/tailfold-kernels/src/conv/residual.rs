//! Addition of another image to a convolution's codes before they are written.
#![expect(
    unsafe_code,
    reason = "vectors are read through pointers whose bounds are checked once per image, not at every read"
)]

use crate::KernelError;
use crate::blend::Blend;
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes};

/// Layout of the other image, and the weights of the addition.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    frame: Frame,
    /// Adds the convolution's codes (first term) and the other image's codes (second term).
    blend: Blend,
}

impl Residual {
    /// A residual from an image that is laid out as `frame` and is as large as `output`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when the sizes differ.
    pub(crate) fn new(frame: Frame, blend: Blend, output: &Frame) -> Result<Self, KernelError> {
        let size = |f: &Frame| [f.channels, f.height, f.width];
        if size(&frame) == size(output) {
            return Ok(Self { frame, blend });
        }
        Err(KernelError::Shape(format!(
            "an image of shape {:?} is added to an image of shape {:?}",
            size(&frame),
            size(output)
        )))
    }

    /// Joins the residual with the other image's codes.
    ///
    /// # Panics
    /// When `codes` is shorter than the frame.
    pub(super) fn of<'a>(&'a self, codes: &'a [i16]) -> Other<'a> {
        assert!(self.frame.len() <= codes.len(), "the image fills its frame");
        Other {
            residual: self,
            codes,
        }
    }
}

/// The other image: its layout, weights and codes.
#[derive(Clone, Copy)]
pub(crate) struct Other<'a> {
    residual: &'a Residual,
    codes: &'a [i16],
}

impl Other<'_> {
    /// Whether the image's rows follow each other without a gap.
    pub(super) fn is_flat(&self) -> bool {
        self.residual.frame.is_flat()
    }

    /// Number of codes from one pixel to the next.
    pub(super) fn pitch(&self) -> usize {
        self.residual.frame.pitch()
    }

    /// Index of the first channel of pixel (`y`, `x`).
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        self.residual.frame.at(y, x)
    }

    /// Adds `codes` and the other image's codes from `at` on.
    ///
    /// # Safety
    /// `at` is the index of a block of sixteen channels, at least the first of which lies in the frame.
    #[inline(always)]
    pub(super) unsafe fn added<L: Lanes>(&self, codes: L::Codes, at: usize) -> L::Codes {
        debug_assert!(at + LANES <= self.codes.len());
        // SAFETY: the caller's promise; behind the last pixel, a frame has more spare codes than a vector.
        let other = unsafe { L::load_codes(self.codes.as_ptr().add(at)) };
        self.residual.blend.vector::<L>(codes, other)
    }
}
