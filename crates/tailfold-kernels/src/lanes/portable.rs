//! Lanes as plain arrays, which the compiler vectorises for any processor.
#![expect(unsafe_code, reason = "vectors are read and written through pointers")]

use super::{LANES, Lanes, ORDER};
use crate::lanes::Constants;

#[derive(Clone, Copy)]
pub(crate) struct Portable([i32; LANES]);

impl Lanes for Portable {
    type Pairs = [[i16; 2]; LANES];
    type Quads = [[i8; 4]; LANES];
    type Codes = [i16; LANES];
    const LEAST_BYTE: i16 = i8::MIN as i16;
    type Away = [f32; LANES];
    const TILE: usize = 4;

    #[inline(always)]
    fn zero() -> Self {
        Self([0; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        // SAFETY: the caller answers for the pointer; an array needs no more alignment than its elements.
        Self(unsafe { from.cast::<[i32; LANES]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[i32; LANES]>().write(self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    #[inline(always)]
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs {
        // SAFETY: as for `load`.
        unsafe { from.cast::<Self::Pairs>().read() }
    }

    #[inline(always)]
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs {
        // SAFETY: as for `load`.
        [unsafe { from.cast::<[i16; 2]>().read() }; LANES]
    }

    #[inline(always)]
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs {
        std::array::from_fn(|i| [a[ORDER[i]], b[ORDER[i]]])
    }

    #[inline(always)]
    fn opaque(pairs: Self::Pairs) -> Self::Pairs {
        std::hint::black_box(pairs)
    }

    #[inline(always)]
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self {
        Self(std::array::from_fn(|i| {
            let products = [0, 1].map(|j| i32::from(a[i][j]) * i32::from(b[i][j]));
            self.0[i]
                .wrapping_add(products[0])
                .wrapping_add(products[1])
        }))
    }

    #[inline(always)]
    unsafe fn load_quads(from: *const i8) -> Self::Quads {
        // SAFETY: as for `load`.
        unsafe { from.cast::<Self::Quads>().read() }
    }

    #[inline(always)]
    unsafe fn splat_quad(from: *const i8) -> Self::Quads {
        // SAFETY: as for `load`.
        [unsafe { from.cast::<[i8; 4]>().read() }; LANES]
    }

    #[inline(always)]
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self {
        Self(std::array::from_fn(|i| {
            (0..4).fold(self.0[i], |sum, j| {
                sum.wrapping_add(i32::from(weights[i][j]) * i32::from(codes[i][j]))
            })
        }))
    }

    #[inline(always)]
    unsafe fn load_codes(from: *const i16) -> Self::Codes {
        // SAFETY: as for `load`.
        unsafe { from.cast::<Self::Codes>().read() }
    }

    #[inline(always)]
    unsafe fn widen(from: *const i8) -> Self::Codes {
        // SAFETY: as for `load`.
        unsafe { from.cast::<[i8; LANES]>().read() }.map(i16::from)
    }

    #[inline(always)]
    unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize) {
        // SAFETY: the caller answers for `count` codes.
        unsafe { std::ptr::copy_nonoverlapping(codes.as_ptr(), to, count) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low eight bits are stored"
    )]
    #[inline(always)]
    unsafe fn store_bytes(codes: Self::Codes, to: *mut i8) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[i8; LANES]>().write(codes.map(|c| c as i8)) }
    }

    #[inline(always)]
    fn codes(from: [i16; LANES]) -> Self::Codes {
        from
    }

    #[inline(always)]
    fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
    }

    #[inline(always)]
    fn no_away() -> Self::Away {
        [0.0; LANES]
    }

    #[inline(always)]
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool {
        (0..LANES).any(|i| away[i] > constants.doubt[i])
    }

    #[inline(always)]
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes {
        let mut codes = [0; LANES];
        for i in 0..LANES {
            let steps = single(self.0[i]) * constants.multiplier[i] + constants.offset[i];
            codes[ORDER[i]] = rounded(steps, constants, &mut away[i]);
        }
        codes
    }

    #[inline(always)]
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes {
        std::array::from_fn(|i| {
            let [a, b] = [f32::from(a[i]), f32::from(b[i])];
            let steps = a * constants.multiplier[i] + b * constants.offset[i];
            rounded(steps, constants, &mut away[i])
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the bound of doubt accounts for rounding to single precision"
)]
#[inline(always)]
fn single(sum: i32) -> f32 {
    sum as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to 16-bit numbers first"
)]
#[inline(always)]
fn rounded(steps: f32, constants: Constants<'_>, away: &mut f32) -> i16 {
    let clamped = steps
        .max(f32::from(constants.ends.low[0]))
        .min(f32::from(constants.ends.high[0]));
    let rounded = clamped.round_ties_even();
    *away = away.max((clamped - rounded).abs());
    rounded as i16
}
