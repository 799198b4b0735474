//! Endings of the direct kernel: conversion of its sums to codes or real values.
#![expect(
    unsafe_code,
    reason = "vectors are written through pointers whose bounds are checked once per tile, not once per value"
)]

use super::Direct;
use crate::conv::residual::Other;
use crate::conv::{Epilogue, Part};
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes, ORDER};
use crate::requantize::{Block, Requantize, Store};

/// Receives the sums of one block of filters after the other, pixel by pixel.
pub(super) trait Ending {
    /// Starts a row of sums, which belong to `block` and the pixels from `pixel` on.
    fn begin(&mut self, block: usize, pixel: usize);

    /// Receives the sums of `P` pixels, the first of which is pixel `first` of the row.
    fn put<L: Lanes, const P: usize>(&mut self, first: usize, sums: [L; P]);
}

/// Writes codes to `output`.
pub(super) struct Codes<'a> {
    requantize: &'a Requantize,
    out: Part<'a>,
    output: &'a Frame,
    /// First output channel.
    first: usize,
    pitch: usize,
    /// Number of channels, from the first one on, that may be written.
    channels: usize,
    block: usize,
    /// Index of the row's first code in the output.
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
        // When one group writes all channels, it also writes zeros to the padding channels.
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

impl Codes<'_> {
    /// The requantization of the next `P` pixels, and the memory that receives their codes.
    #[inline(always)]
    fn place<const P: usize>(&mut self, first: usize) -> (Block<'_>, Pixels) {
        let channels = (self.channels - self.block * LANES).min(LANES);
        let count = (P - 1) * self.pitch + channels;
        let to = self.out.at(self.at + first * self.pitch, count);
        let pixels = Pixels {
            to: to.as_mut_ptr(),
            pitch: self.pitch,
            channels,
        };
        (self.requantize.block(self.block, 1), pixels)
    }
}

/// Memory of neighbouring pixels. The first `channels` of sixteen channels may be written, and there is room for them.
#[derive(Clone, Copy)]
struct Pixels {
    to: *mut i16,
    pitch: usize,
    channels: usize,
}

impl Store for Pixels {
    #[inline(always)]
    fn codes<L: Lanes>(&self, p: usize, codes: L::Codes) {
        // SAFETY: [`Codes::place`] has checked the room.
        unsafe { L::store_codes(codes, self.to.add(p * self.pitch), self.channels) };
    }
}

/// Pixels whose sixteen channels may all be written.
struct Full(Pixels);

impl Store for Full {
    #[inline(always)]
    fn codes<L: Lanes>(&self, p: usize, codes: L::Codes) {
        let Self(Pixels { to, pitch, .. }) = *self;
        // SAFETY: as above. With a constant count, this is a single store.
        unsafe { L::store_codes(codes, to.add(p * pitch), LANES) };
    }
}

/// Pixels to which the pixels of another image are added.
struct Added<'a> {
    pixels: Pixels,
    other: Other<'a>,
    /// Index of the other image's first pixel.
    from: usize,
}

impl Store for Added<'_> {
    #[inline(always)]
    fn codes<L: Lanes>(&self, p: usize, codes: L::Codes) {
        let at = self.from + p * self.other.pitch();
        // SAFETY: the other image is as large as the one that is written.
        let codes = unsafe { self.other.added::<L>(codes, at) };
        self.pixels.codes::<L>(p, codes);
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
        let (block, pixels) = self.place::<P>(first);
        if pixels.channels == LANES {
            block.each(sums, &Full(pixels));
        } else {
            block.each(sums, &pixels);
        }
    }
}

/// Adds another image to the codes and writes the sums to `output`. It is separate from [`Codes`] to keep that loop
/// tight.
pub(super) struct Sums<'a> {
    codes: Codes<'a>,
    other: Other<'a>,
    /// Index of the first code of the other image's row.
    from: usize,
}

impl<'a> Sums<'a> {
    pub(super) fn new(codes: Codes<'a>, other: Other<'a>) -> Self {
        Self {
            codes,
            other,
            from: 0,
        }
    }
}

impl Ending for Sums<'_> {
    #[inline(always)]
    fn begin(&mut self, block: usize, pixel: usize) {
        let width = self.codes.output.width;
        self.codes.begin(block, pixel);
        self.from = self.other.at(pixel / width, pixel % width) + block * LANES;
    }

    #[inline(always)]
    fn put<L: Lanes, const P: usize>(&mut self, first: usize, sums: [L; P]) {
        let other = self.other;
        let from = self.from + first * other.pitch();
        let (block, pixels) = self.codes.place::<P>(first);
        let added = Added {
            pixels,
            other,
            from,
        };
        block.each(sums, &added);
    }
}

/// Writes real values, `[channels, height, width]`.
pub(super) struct Real<'a> {
    pub(super) direct: &'a Direct,
    pub(super) epilogue: &'a Epilogue,
    pub(super) out: &'a mut [f32],
    /// Number of pixels in the output.
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
