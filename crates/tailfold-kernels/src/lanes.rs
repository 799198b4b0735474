//! Sixteen sums at a time, on the widest unit that the processor has.
//!
//! A kernel is written once over [`Lanes`]; integer sums are exact and requantization is checked against the exact value
//! wherever rounding could differ, so all implementations give the same bits.
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

/// Lanes of a vector, whatever the processor.
pub(crate) const LANES: usize = 16;

/// Which of sixteen channels each lane holds: the order in which the processor interleaves and packs, so that neither needs
/// a permutation. Weights, multipliers and offsets are packed in it.
pub(crate) const ORDER: [usize; LANES] = if cfg!(target_arch = "x86_64") {
    [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]
} else {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
};

/// Sixteen 32-bit sums.
pub(crate) trait Lanes: Copy {
    /// Two codes for every lane.
    type Pairs: Copy;
    /// Four bytes for every lane.
    type Quads: Copy;
    /// Sixteen 16-bit codes in the order of channels.
    type Codes: Copy;
    /// The smallest code that a byte holds: 0 where the unit takes bytes of codes without a sign, -128 where it takes both
    /// factors with theirs.
    const LEAST_BYTE: i16;
    /// Accumulators that the register file holds beside what feeds them.
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

    /// The two codes at `from` in every lane.
    ///
    /// # Safety
    /// Two codes can be read from `from`.
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs;

    /// Lane by lane, the code of `a` and the code of `b`.
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs;

    /// The same pairs, of which the compiler no longer knows that they are.
    fn opaque(pairs: Self::Pairs) -> Self::Pairs;

    /// `self + a.0 * b.0 + a.1 * b.1`, lane by lane.
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self;

    /// # Safety
    /// Sixty-four weights can be read from `from`.
    unsafe fn load_quads(from: *const i8) -> Self::Quads;

    /// The four bytes at `from` in every lane.
    ///
    /// # Safety
    /// Four bytes can be read from `from`.
    unsafe fn splat_quad(from: *const i8) -> Self::Quads;

    /// `self` and the four products of each lane; a code's byte counts from [`Self::LEAST_BYTE`] on. Sums may pass 32 bits
    /// on the way.
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self;

    /// # Safety
    /// Sixteen codes can be read from `from`.
    unsafe fn load_codes(from: *const i16) -> Self::Codes;

    /// Sixteen bytes as codes.
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

    /// How far results were from their rounded values.
    type Away: Copy;

    fn no_away() -> Self::Away;

    /// Whether any result of those that `away` has seen lies so near to a tie that it may be wrong.
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool;

    /// Single-precision requantization; `away` sees it. Results stay within 32 bits, or all are to be doubted.
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes;

    /// `a * multiplier + b * offset`, clamped and rounded; `away` sees it.
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes;
}

/// Work that is compiled once for every vector unit. `run` and what it calls must be inlined to profit.
pub(crate) trait Task {
    fn run<L: Lanes>(self);
}
