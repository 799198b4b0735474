//! How a unit multiplies bytes: the only thing in which those with and without SDOT differ.
#![expect(
    unsafe_code,
    reason = "an instruction that has no stable name is assembled"
)]

use std::arch::aarch64::*;

pub(crate) trait Unit: Copy {
    /// `sums` and four products each.
    ///
    /// # Safety
    /// The processor has the unit.
    unsafe fn dot4(sums: int32x4_t, weights: int8x16_t, codes: int8x16_t) -> int32x4_t;
}

#[derive(Clone, Copy)]
pub(crate) struct Plain;

#[derive(Clone, Copy)]
pub(crate) struct Dotprod;

impl Unit for Plain {
    /// Slower than pairs of 16 bits, so only tests come here.
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

/// `vdotq_s32`, which is unstable.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction reads and writes these registers alone, and the processor has it.
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
