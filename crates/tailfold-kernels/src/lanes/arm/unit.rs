//! Multiplication of bytes, the only operation that differs between NEON with and without SDOT.
#![expect(
    unsafe_code,
    reason = "an instruction that has no stable name is assembled"
)]

use std::arch::aarch64::*;

/// A vector extension that multiplies bytes.
pub(crate) trait Unit: Copy {
    /// Adds four products to each of the `sums`.
    ///
    /// # Safety
    /// The processor has the extension.
    unsafe fn dot4(sums: int32x4_t, weights: int8x16_t, codes: int8x16_t) -> int32x4_t;
}

#[derive(Clone, Copy)]
pub(crate) struct Plain;

#[derive(Clone, Copy)]
pub(crate) struct Dotprod;

impl Unit for Plain {
    /// Used only in tests, because 16-bit pairs are faster.
    #[inline(always)]
    unsafe fn dot4(sums: int32x4_t, weights: int8x16_t, codes: int8x16_t) -> int32x4_t {
        // SAFETY: every processor of this architecture has NEON.
        unsafe {
            let low = vmull_s8(vget_low_s8(weights), vget_low_s8(codes));
            let high = vmull_high_s8(weights, codes);
            let four = vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
            vaddq_s32(sums, four)
        }
    }
}

impl Unit for Dotprod {
    #[inline(always)]
    unsafe fn dot4(sums: int32x4_t, weights: int8x16_t, codes: int8x16_t) -> int32x4_t {
        // SAFETY: the caller's promise.
        unsafe { sdot(sums, weights, codes) }
    }
}

/// A stable replacement of the unstable intrinsic `vdotq_s32`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the processor has this instruction, which reads and writes only these registers.
    unsafe {
        std::arch::asm!(
            "sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}
