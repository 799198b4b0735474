//! Sixteen lanes in four NEON vectors.
#![expect(unsafe_code, reason = "vectors are read and written through pointers")]

use std::arch::aarch64::*;
use std::marker::PhantomData;

use super::rounding::{Steps, narrowed, requantized, weighted};
use super::unit::Unit;
use crate::lanes::Constants;
use crate::lanes::{LANES, Lanes};

/// Four vectors of sums.
///
/// Codes are multiplied and added four at a time (SMLAL), so the codes of a pair need not be neighbours. `Pairs` has
/// all first codes, then all second ones.
#[derive(Clone, Copy)]
pub(crate) struct Neon<U> {
    sums: [int32x4_t; 4],
    unit: PhantomData<U>,
}

impl<U: Unit> Neon<U> {
    #[inline(always)]
    fn new(sums: [int32x4_t; 4]) -> Self {
        Self {
            sums,
            unit: PhantomData,
        }
    }
}

/// Adds the products of sixteen codes with sixteen others to `sums`.
#[inline]
#[target_feature(enable = "neon")]
fn multiplied(sums: [int32x4_t; 4], a: [int16x8_t; 2], b: [int16x8_t; 2]) -> [int32x4_t; 4] {
    [
        vmlal_s16(sums[0], vget_low_s16(a[0]), vget_low_s16(b[0])),
        vmlal_high_s16(sums[1], a[0], b[0]),
        vmlal_s16(sums[2], vget_low_s16(a[1]), vget_low_s16(b[1])),
        vmlal_high_s16(sums[3], a[1], b[1]),
    ]
}

/// Returns `vector` unchanged but opaque to the optimiser, like `black_box`.
#[inline]
#[target_feature(enable = "neon")]
fn opaque(mut vector: int16x8_t) -> int16x8_t {
    // SAFETY: the assembly has no instruction.
    unsafe { std::arch::asm!("/* {0:v} */", inout(vreg) vector, options(nomem, nostack)) };
    vector
}

impl<U: Unit> Lanes for Neon<U> {
    type Pairs = [[int16x8_t; 2]; 2];
    type Quads = [int8x16_t; 4];
    type Codes = [int16x8_t; 2];
    const LEAST_BYTE: i16 = i8::MIN as i16;
    type Away = [float32x4_t; 4];
    const TILE: usize = 6;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: every processor of this architecture has NEON, here and below.
        Self::new([unsafe { vdupq_n_s32(0) }; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        // SAFETY: as above; the caller answers for the pointer.
        Self::new(std::array::from_fn(|i| unsafe {
            vld1q_s32(from.add(4 * i))
        }))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        for (i, sums) in self.sums.into_iter().enumerate() {
            // SAFETY: as above; the caller answers for the pointer.
            unsafe { vst1q_s32(to.add(4 * i), sums) };
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self::new(std::array::from_fn(|i| unsafe {
            vaddq_s32(self.sums[i], other.sums[i])
        }))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self::new(std::array::from_fn(|i| unsafe {
            vsubq_s32(self.sums[i], other.sums[i])
        }))
    }

    #[inline(always)]
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer.
        let (low, high) = unsafe { (vld2q_s16(from), vld2q_s16(from.add(LANES))) };
        [[low.0, high.0], [low.1, high.1]]
    }

    #[inline(always)]
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer. Both codes are read at once, because the multiplication
        // can select a code from a vector.
        unsafe {
            let pair = vreinterpretq_s16_s32(vdupq_n_s32(from.cast::<i32>().read_unaligned()));
            [
                [vdupq_laneq_s16::<0>(pair); 2],
                [vdupq_laneq_s16::<1>(pair); 2],
            ]
        }
    }

    #[inline(always)]
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs {
        [a, b]
    }

    #[inline(always)]
    fn opaque(pairs: Self::Pairs) -> Self::Pairs {
        // SAFETY: as above.
        pairs.map(|codes| codes.map(|vector| unsafe { opaque(vector) }))
    }

    #[inline(always)]
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self {
        // SAFETY: as above.
        Self::new(unsafe { multiplied(multiplied(self.sums, a[0], b[0]), a[1], b[1]) })
    }

    #[inline(always)]
    unsafe fn load_quads(from: *const i8) -> Self::Quads {
        // SAFETY: as above; the caller answers for the pointer.
        std::array::from_fn(|i| unsafe { vld1q_s8(from.add(16 * i)) })
    }

    #[inline(always)]
    unsafe fn splat_quad(from: *const i8) -> Self::Quads {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe {
            let quad = vdupq_n_s32(from.cast::<i32>().read_unaligned());
            [vreinterpretq_s8_s32(quad); 4]
        }
    }

    #[inline(always)]
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self {
        // SAFETY: this type is only used below the function that enables the extension `U`.
        Self::new(std::array::from_fn(|i| unsafe {
            U::dot4(self.sums[i], weights[i], codes[i])
        }))
    }

    #[inline(always)]
    unsafe fn load_codes(from: *const i16) -> Self::Codes {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe { [vld1q_s16(from), vld1q_s16(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn widen(from: *const i8) -> Self::Codes {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe {
            let bytes = vld1q_s8(from);
            [vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes)]
        }
    }

    #[inline(always)]
    unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize) {
        // SAFETY: as above; the caller answers for `count` codes.
        unsafe {
            match count {
                16 => {
                    vst1q_s16(to, codes[0]);
                    vst1q_s16(to.add(8), codes[1]);
                }
                8 => vst1q_s16(to, codes[0]),
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
        // SAFETY: as above; the caller answers for the pointer.
        unsafe { vst1q_s8(to, vmovn_high_s16(vmovn_s16(codes[0]), codes[1])) }
    }

    #[inline(always)]
    fn codes(from: [i16; LANES]) -> Self::Codes {
        // SAFETY: the array has sixteen codes.
        unsafe { Self::load_codes(from.as_ptr()) }
    }

    #[inline(always)]
    fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        // SAFETY: as above.
        unsafe { [vaddq_s16(a[0], b[0]), vaddq_s16(a[1], b[1])] }
    }

    #[inline(always)]
    fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
        // SAFETY: as above.
        unsafe { [vsubq_s16(a[0], b[0]), vsubq_s16(a[1], b[1])] }
    }

    #[inline(always)]
    fn no_away() -> Self::Away {
        // SAFETY: as above. Distances are not negative.
        [unsafe { vdupq_n_f32(0.0) }; 4]
    }

    #[inline(always)]
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool {
        // SAFETY: as above; there are sixteen limits.
        unsafe {
            let doubt = constants.doubt.as_ptr();
            let beyond = |i: usize| vcgtq_f32(away[i], vld1q_f32(doubt.add(4 * i)));
            let any = vorrq_u32(
                vorrq_u32(beyond(0), beyond(1)),
                vorrq_u32(beyond(2), beyond(3)),
            );
            vmaxvq_u32(any) != 0
        }
    }

    #[inline(always)]
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes {
        // SAFETY: as above.
        let steps: [Steps; 4] =
            std::array::from_fn(|i| unsafe { requantized(self.sums[i], constants, i) });
        // SAFETY: as above.
        unsafe { narrowed(steps, constants, away) }
    }

    #[inline(always)]
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes {
        // SAFETY: as above.
        unsafe {
            let [low, high] = [0, 1].map(|i| weighted(a[i], b[i], constants));
            narrowed([low[0], low[1], high[0], high[1]], constants, away)
        }
    }
}
