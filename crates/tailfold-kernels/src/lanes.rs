//! Vectors of sixteen sums, on the widest vector extension of the processor.
//!
//! A kernel is written once over [`Lanes`]. Integer sums are exact, and requantization is repeated exactly wherever
//! rounding could differ. So all implementations give the same bits.
#![expect(unsafe_code, reason = "vectors are read and written through pointers")]

#[cfg(target_arch = "aarch64")]
mod arm;
mod constants;
mod form;
mod isa;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use constants::{Constants, Ends};
pub(crate) use form::{Form, Pairs, Quads};
pub use isa::Isa;

/// Lanes of a vector, the same on every processor.
pub(crate) const LANES: usize = 16;

/// The channel, of sixteen, that each lane holds. Weights, multipliers and offsets are packed in this order, in which
/// the processor's instructions interleave and pack vectors, so that no permutation is needed.
pub(crate) const ORDER: [usize; LANES] = if cfg!(target_arch = "x86_64") {
    [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]
} else {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
};

/// Sixteen 32-bit sums.
pub(crate) trait Lanes: Copy {
    /// Two codes per lane.
    type Pairs: Copy;
    /// Four bytes per lane.
    type Quads: Copy;
    /// Sixteen 16-bit codes in the order of channels.
    type Codes: Copy;
    /// The smallest code that a byte holds: 0 where the instruction set multiplies unsigned codes by signed weights,
    /// -128 where both are signed.
    const LEAST_BYTE: i16;
    /// Number of accumulators that the register file holds beside the factors.
    const TILE: usize;

    fn zero() -> Self;

    /// # Safety
    /// Sixteen sums can be read from `from`.
    unsafe fn load(from: *const i32) -> Self;

    /// # Safety
    /// Sixteen sums can be written to `to`.
    unsafe fn store(self, to: *mut i32);

    fn add(self, other: Self) -> Self;

    fn sub(self, other: Self) -> Self;

    #[inline(always)]
    fn to_array(self) -> [i32; LANES] {
        let mut sums = [0; LANES];
        // SAFETY: the array has sixteen sums.
        unsafe { self.store(sums.as_mut_ptr()) };
        sums
    }

    /// # Safety
    /// Thirty-two codes can be read from `from`.
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs;

    /// Copies the two codes at `from` to every lane.
    ///
    /// # Safety
    /// Two codes can be read from `from`.
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs;

    /// Pairs, lane by lane, the code of `a` and the code of `b`.
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs;

    /// Returns `pairs` unchanged but opaque to the optimiser, like `black_box`.
    fn opaque(pairs: Self::Pairs) -> Self::Pairs;

    /// `self + a.0 * b.0 + a.1 * b.1`, lane by lane.
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self;

    /// # Safety
    /// Sixty-four weights can be read from `from`.
    unsafe fn load_quads(from: *const i8) -> Self::Quads;

    /// Copies the four bytes at `from` to every lane.
    ///
    /// # Safety
    /// Four bytes can be read from `from`.
    unsafe fn splat_quad(from: *const i8) -> Self::Quads;

    /// Adds the four products of each lane to `self`. Bytes of codes are signed if [`Self::LEAST_BYTE`] is negative,
    /// and unsigned otherwise. Intermediate sums may wrap around at 32 bits.
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self;

    /// # Safety
    /// Sixteen codes can be read from `from`.
    unsafe fn load_codes(from: *const i16) -> Self::Codes;

    /// Loads sixteen bytes as codes.
    ///
    /// # Safety
    /// Sixteen bytes can be read from `from`.
    unsafe fn widen(from: *const i8) -> Self::Codes;

    /// Writes the first `count` codes.
    ///
    /// # Safety
    /// `count` codes can be written to `to`; `count` is at most sixteen.
    unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize);

    /// Writes the low eight bits of sixteen codes.
    ///
    /// # Safety
    /// Sixteen bytes can be written to `to`.
    unsafe fn store_bytes(codes: Self::Codes, to: *mut i8);

    fn codes(from: [i16; LANES]) -> Self::Codes;

    fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes;

    fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes;

    /// Per lane, the largest distance of a result from its rounded value so far.
    type Away: Copy;

    fn no_away() -> Self::Away;

    /// Whether any of the results recorded in `away` lies so near to a tie that it may be rounded wrongly.
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool;

    /// Requantizes in single precision and records the distances in `away`. Results must fit 32 bits before the clamp,
    /// unless `constants` doubts every result.
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes;

    /// Computes `a * multiplier + b * offset`, clamped and rounded, and records the distances in `away`.
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes;
}

/// A loop that is compiled once per instruction set. `run` and the functions it calls must be inlined to profit.
pub(crate) trait Task {
    fn run<L: Lanes>(self);
}
