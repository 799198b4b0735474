//! Forms of codes that a lane multiplies and adds at a time: two of 16 bits, or four of 8 bits.
#![expect(unsafe_code, reason = "vectors are read through pointers")]

use super::Lanes;

/// A form of codes, which are multiplied by as many weights and added up in every lane.
pub(crate) trait Form {
    /// A code or a weight, which have the same number of bits.
    type Code: Copy;
    /// Number of codes that a lane multiplies at a time.
    const DEPTH: usize;
    /// A vector with `DEPTH` codes per lane.
    type Vector<L: Lanes>: Copy;

    /// # Safety
    /// `16 * DEPTH` weights can be read from `from`.
    unsafe fn load<L: Lanes>(from: *const Self::Code) -> Self::Vector<L>;

    /// Copies the codes at `from` to every lane.
    ///
    /// # Safety
    /// `DEPTH` codes can be read from `from`.
    unsafe fn splat<L: Lanes>(from: *const Self::Code) -> Self::Vector<L>;

    /// Adds the products of each lane to `sums`.
    fn dot<L: Lanes>(sums: L, weights: Self::Vector<L>, codes: Self::Vector<L>) -> L;
}

/// Two codes of 16 bits.
pub(crate) struct Pairs;

/// Four codes of 8 bits.
pub(crate) struct Quads;

impl Form for Pairs {
    type Code = i16;
    const DEPTH: usize = 2;
    type Vector<L: Lanes> = L::Pairs;

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const i16) -> L::Pairs {
        // SAFETY: the caller's promise, here and below.
        unsafe { L::load_pairs(from) }
    }

    #[inline(always)]
    unsafe fn splat<L: Lanes>(from: *const i16) -> L::Pairs {
        // SAFETY: as above.
        unsafe { L::splat_pair(from) }
    }

    #[inline(always)]
    fn dot<L: Lanes>(sums: L, weights: L::Pairs, codes: L::Pairs) -> L {
        sums.dot(weights, codes)
    }
}

impl Form for Quads {
    type Code = i8;
    const DEPTH: usize = 4;
    type Vector<L: Lanes> = L::Quads;

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const i8) -> L::Quads {
        // SAFETY: as above.
        unsafe { L::load_quads(from) }
    }

    #[inline(always)]
    unsafe fn splat<L: Lanes>(from: *const i8) -> L::Quads {
        // SAFETY: as above.
        unsafe { L::splat_quad(from) }
    }

    #[inline(always)]
    fn dot<L: Lanes>(sums: L, weights: L::Quads, codes: L::Quads) -> L {
        sums.dot4(weights, codes)
    }
}
