//! What becomes of the direct kernel's sums.
#![expect(
    unsafe_code,
    reason = "vectors are written through pointers whose bounds are checked once a tile, not once a value"
)]

use super::Direct;
use crate::conv::{Epilogue, Part};
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes, ORDER};
use crate::requantize::Requantize;

/// Takes the sums of one block of filters, pixel by pixel.
pub(super) trait Ending {
    /// What follows is of `block` and the pixels from `pixel` on.
    fn begin(&mut self, block: usize, pixel: usize);

    /// The sums of the `P` pixels from the `first` one behind the beginning on.
    fn put<L: Lanes, const P: usize>(&mut self, first: usize, sums: [L; P]);
}

/// Codes of `output`.
pub(super) struct Codes<'a> {
    requantize: &'a Requantize,
    out: Part<'a>,
    output: &'a Frame,
    /// First output channel.
    first: usize,
    pitch: usize,
    /// Channels from the first one on that may be written.
    channels: usize,
    block: usize,
    /// Where the row's first code goes.
    at: usize,
}

impl<'a> Codes<'a> {
    pub(super) fn new(
        direct: &Direct,
        requantize: &'a Requantize,
        output: &'a Frame,
        out: Part<'a>,
    ) -> Self {
        let pitch = output.pitch();
        // A whole frame's fill-up channels may be written too, and are zero.
        let channels = if direct.filters == output.channels {
            pitch
        } else {
            direct.filters
        };
        Self {
            requantize,
            out,
            output,
            first: direct.first,
            pitch,
            channels,
            block: 0,
            at: 0,
        }
    }
}

impl Ending for Codes<'_> {
    #[inline(always)]
    fn begin(&mut self, block: usize, pixel: usize) {
        let (y, x) = (pixel / self.output.width, pixel % self.output.width);
        self.block = block;
        self.at = self.output.at(y, x) + self.first + block * LANES;
    }

    #[inline(always)]
    fn put<L: Lanes, const P: usize>(&mut self, first: usize, sums: [L; P]) {
        let pitch = self.pitch;
        let channels = (self.channels - self.block * LANES).min(LANES);
        let count = (P - 1) * pitch + channels;
        let to = self.out.at(self.at + first * pitch, count).as_mut_ptr();
        let block = self.requantize.block(self.block, 1);
        // A count that the compiler knows is one store.
        if channels == LANES {
            // SAFETY: the slice ends with the last pixel's last code.
            block.each(sums, |p, codes: L::Codes| unsafe {
                L::store_codes(codes, to.add(p * pitch), LANES);
            });
        } else {
            // SAFETY: as above.
            block.each(sums, |p, codes: L::Codes| unsafe {
                L::store_codes(codes, to.add(p * pitch), channels);
            });
        }
    }
}

/// Real values, `[channels, height, width]`.
pub(super) struct Real<'a> {
    pub(super) direct: &'a Direct,
    pub(super) epilogue: &'a Epilogue,
    pub(super) out: &'a mut [f32],
    /// Pixels of the output.
    pub(super) pixels: usize,
    pub(super) block: usize,
    pub(super) pixel: usize,
}

impl Ending for Real<'_> {
    #[inline(always)]
    fn begin(&mut self, block: usize, pixel: usize) {
        self.block = block;
        self.pixel = pixel;
    }

    #[inline(always)]
    fn put<L: Lanes, const P: usize>(&mut self, first: usize, sums: [L; P]) {
        for (p, sum) in sums.into_iter().enumerate() {
            let sums = sum.to_array();
            for lane in 0..LANES {
                let channel = self.block * LANES + ORDER[lane];
                if channel < self.direct.filters {
                    let plane = (self.direct.first + channel) * self.pixels;
                    let at = plane + self.pixel + first + p;
                    self.out[at] = self.epilogue.real(channel, sums[lane]);
                }
            }
        }
    }
}
