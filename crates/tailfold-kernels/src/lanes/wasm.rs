//! Lanes in WebAssembly SIMD vectors. A module with them does not load in a runtime without SIMD.
#![expect(unsafe_code, reason = "vectors are read and written through pointers")]

use std::arch::wasm32::*;
use std::array;

use super::{LANES, Lanes};
use crate::lanes::Constants;

/// Four vectors of sums.
#[derive(Clone, Copy)]
pub(crate) struct Simd128([v128; 4]);

/// Rounds steps to codes of 32 bits, ties to even, and records the distances in `away`.
#[inline(always)]
fn rounded(steps: v128, constants: Constants<'_>, away: &mut v128) -> v128 {
    let [low, high] = [constants.ends.low[0], constants.ends.high[0]].map(f32::from);
    let clamped = f32x4_pmin(f32x4_splat(high), f32x4_pmax(f32x4_splat(low), steps));
    let rounded = f32x4_nearest(clamped);
    *away = f32x4_pmax(*away, f32x4_abs(f32x4_sub(clamped, rounded)));
    i32x4_trunc_sat_f32x4(rounded)
}

/// The constants of lanes `4 * quarter ..` from the constants of all sixteen lanes.
#[inline(always)]
fn quarter(of: &[f32; LANES], quarter: usize) -> v128 {
    let part = &of[4 * quarter..4 * quarter + 4];
    f32x4(part[0], part[1], part[2], part[3])
}

impl Lanes for Simd128 {
    /// The codes of a pair are neighbours, as [`i32x4_dot_i16x8`] requires.
    type Pairs = [v128; 4];
    type Quads = [v128; 4];
    type Codes = [v128; 2];
    const LEAST_BYTE: i16 = i8::MIN as i16;
    type Away = [v128; 4];
    const TILE: usize = 2;

    #[inline(always)]
    fn zero() -> Self {
        Self([i32x4_splat(0); 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        // SAFETY: the caller answers for the pointer, here and below; vectors need no alignment.
        Self(array::from_fn(|i| unsafe {
            v128_load(from.add(4 * i).cast())
        }))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        for (i, sums) in self.0.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { v128_store(to.add(4 * i).cast(), sums) };
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(array::from_fn(|i| i32x4_add(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(array::from_fn(|i| i32x4_sub(self.0[i], other.0[i])))
    }

    #[inline(always)]
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs {
        // SAFETY: as above.
        array::from_fn(|i| unsafe { v128_load(from.add(8 * i).cast()) })
    }

    #[inline(always)]
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs {
        // SAFETY: as above.
        [unsafe { v128_load32_splat(from.cast()) }; 4]
    }

    #[inline(always)]
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs {
        let low = |i: usize| i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a[i], b[i]);
        let high = |i: usize| i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a[i], b[i]);
        [low(0), high(0), low(1), high(1)]
    }

    #[inline(always)]
    fn opaque(pairs: Self::Pairs) -> Self::Pairs {
        pairs
    }

    #[inline(always)]
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self {
        Self(array::from_fn(|i| {
            i32x4_add(self.0[i], i32x4_dot_i16x8(a[i], b[i]))
        }))
    }

    #[inline(always)]
    unsafe fn load_quads(from: *const i8) -> Self::Quads {
        // SAFETY: as above.
        array::from_fn(|i| unsafe { v128_load(from.add(16 * i).cast()) })
    }

    #[inline(always)]
    unsafe fn splat_quad(from: *const i8) -> Self::Quads {
        // SAFETY: as above.
        [unsafe { v128_load32_splat(from.cast()) }; 4]
    }

    /// Used only in tests, because 16-bit pairs are faster.
    #[inline(always)]
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self {
        Self(array::from_fn(|i| {
            let low = i16x8_extmul_low_i8x16(weights[i], codes[i]);
            let high = i16x8_extmul_high_i8x16(weights[i], codes[i]);
            let [low, high] = [low, high].map(|products| i32x4_extadd_pairwise_i16x8(products));
            let first = i32x4_shuffle::<0, 2, 4, 6>(low, high);
            let second = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            i32x4_add(self.0[i], i32x4_add(first, second))
        }))
    }

    #[inline(always)]
    unsafe fn load_codes(from: *const i16) -> Self::Codes {
        // SAFETY: as above.
        array::from_fn(|i| unsafe { v128_load(from.add(8 * i).cast()) })
    }

    #[inline(always)]
    unsafe fn widen(from: *const i8) -> Self::Codes {
        // SAFETY: as above.
        let bytes = unsafe { v128_load(from.cast()) };
        [
            i16x8_extend_low_i8x16(bytes),
            i16x8_extend_high_i8x16(bytes),
        ]
    }

    #[inline(always)]
    unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize) {
        // SAFETY: the caller answers for `count` codes.
        unsafe {
            match count {
                16 => {
                    v128_store(to.cast(), codes[0]);
                    v128_store(to.add(8).cast(), codes[1]);
                }
                8 => v128_store(to.cast(), codes[0]),
                _ => {
                    let mut all = [0_i16; LANES];
                    Self::store_codes(codes, all.as_mut_ptr(), LANES);
                    std::ptr::copy_nonoverlapping(all.as_ptr(), to, count);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(codes: Self::Codes, to: *mut i8) {
        let low = i8x16_shuffle::<0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30>(
            codes[0], codes[1],
        );
        // SAFETY: as above.
        unsafe { v128_store(to.cast(), low) };
    }

    #[inline(always)]
    fn codes(from: [i16; LANES]) -> Self::Codes {
        // SAFETY: the array has sixteen codes.
        unsafe { Self::load_codes(from.as_ptr()) }
    }

    #[inline(always)]
    fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        array::from_fn(|i| i16x8_add(a[i], b[i]))
    }

    #[inline(always)]
    fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        array::from_fn(|i| i16x8_sub(a[i], b[i]))
    }

    #[inline(always)]
    fn no_away() -> Self::Away {
        [f32x4_splat(0.0); 4]
    }

    #[inline(always)]
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool {
        let beyond = |i: usize| f32x4_gt(away[i], quarter(constants.doubt, i));
        let any = v128_or(v128_or(beyond(0), beyond(1)), v128_or(beyond(2), beyond(3)));
        v128_any_true(any)
    }

    #[inline(always)]
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes {
        let codes: [v128; 4] = array::from_fn(|i| {
            let multiplied = f32x4_mul(
                f32x4_convert_i32x4(self.0[i]),
                quarter(constants.multiplier, i),
            );
            let steps = f32x4_add(multiplied, quarter(constants.offset, i));
            rounded(steps, constants, &mut away[i])
        });
        [
            i16x8_narrow_i32x4(codes[0], codes[1]),
            i16x8_narrow_i32x4(codes[2], codes[3]),
        ]
    }

    #[inline(always)]
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes {
        let wide = |codes: Self::Codes| {
            let [low, high] = codes;
            [
                i32x4_extend_low_i16x8(low),
                i32x4_extend_high_i16x8(low),
                i32x4_extend_low_i16x8(high),
                i32x4_extend_high_i16x8(high),
            ]
            .map(|codes| f32x4_convert_i32x4(codes))
        };
        let (a, b) = (wide(a), wide(b));
        let codes: [v128; 4] = array::from_fn(|i| {
            let steps = f32x4_add(
                f32x4_mul(a[i], quarter(constants.multiplier, i)),
                f32x4_mul(b[i], quarter(constants.offset, i)),
            );
            rounded(steps, constants, &mut away[i])
        });
        [
            i16x8_narrow_i32x4(codes[0], codes[1]),
            i16x8_narrow_i32x4(codes[2], codes[3]),
        ]
    }
}
