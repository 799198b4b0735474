//! Another image that is added to a convolution's codes before they are written.
#![expect(
    unsafe_code,
    reason = "vectors are read through pointers whose bounds are checked once an image, not once a value"
)]

use crate::KernelError;
use crate::blend::Blend;
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes};

/// How it is added.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    frame: Frame,
    /// Of the convolution's codes, and of the other image's.
    blend: Blend,
}

impl Residual {
    /// `frame` is the other image's, as large as `output`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when it is not.
    pub(crate) fn new(frame: Frame, blend: Blend, output: &Frame) -> Result<Self, KernelError> {
        let size = |f: &Frame| [f.channels, f.height, f.width];
        if size(&frame) == size(output) {
            return Ok(Self { frame, blend });
        }
        Err(KernelError::Shape(format!(
            "an image of {:?} is added to one of {:?}",
            size(&frame),
            size(output)
        )))
    }

    /// With its codes.
    ///
    /// # Panics
    /// When they are fewer than the frame has.
    pub(super) fn of<'a>(&'a self, codes: &'a [i16]) -> Other<'a> {
        assert!(self.frame.len() <= codes.len(), "the image fills its frame");
        Other {
            residual: self,
            codes,
        }
    }
}

/// The other image.
#[derive(Clone, Copy)]
pub(crate) struct Other<'a> {
    residual: &'a Residual,
    codes: &'a [i16],
}

impl Other<'_> {
    /// Whether its rows follow each other without a gap.
    pub(super) fn is_flat(&self) -> bool {
        self.residual.frame.is_flat()
    }

    /// Codes from one pixel to the next.
    pub(super) fn pitch(&self) -> usize {
        self.residual.frame.pitch()
    }

    /// Where the first channel of pixel (`y`, `x`) lies.
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        self.residual.frame.at(y, x)
    }

    /// The sums of `codes` and of those of the other image from `at` on.
    ///
    /// # Safety
    /// `at` is that of a block of sixteen channels, one of which at least is the frame's.
    #[inline(always)]
    pub(super) unsafe fn added<L: Lanes>(&self, codes: L::Codes, at: usize) -> L::Codes {
        debug_assert!(at + LANES <= self.codes.len());
        // SAFETY: the caller's promise, and there are more codes behind the last pixel than a vector has.
        let other = unsafe { L::load_codes(self.codes.as_ptr().add(at)) };
        self.residual.blend.vector::<L>(codes, other)
    }
}
