//! Requantization of sums to codes in NEON vectors.
#![expect(unsafe_code, reason = "constants are read through pointers")]

use std::arch::aarch64::*;

use crate::lanes::Constants;

/// Rounded steps, and the distances of the steps from them.
pub(super) type Steps = (int32x4_t, float32x4_t);

/// Rounds steps, ties to even.
#[inline]
#[target_feature(enable = "neon")]
fn rounded(steps: float32x4_t) -> Steps {
    let codes = vcvtnq_s32_f32(steps);
    (codes, vabdq_f32(steps, vcvtq_f32_s32(codes)))
}

/// `sums` of lanes `4 * quarter ..`, requantized in single precision.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn requantized(sums: int32x4_t, constants: Constants<'_>, quarter: usize) -> Steps {
    let part = 4 * quarter..4 * quarter + 4;
    let (multiplier, offset) = (&constants.multiplier[part.clone()], &constants.offset[part]);
    // SAFETY: both slices have four elements.
    let (multiplier, offset) =
        unsafe { (vld1q_f32(multiplier.as_ptr()), vld1q_f32(offset.as_ptr())) };
    rounded(vfmaq_f32(offset, vcvtq_f32_s32(sums), multiplier))
}

/// Computes the weighted sums of eight codes of `a` and of `b`, and rounds them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn weighted(a: int16x8_t, b: int16x8_t, constants: Constants<'_>) -> [Steps; 2] {
    // SAFETY: there are sixteen multipliers and offsets, all the same.
    let (multiplier, offset) = unsafe {
        (
            vld1q_f32(constants.multiplier.as_ptr()),
            vld1q_f32(constants.offset.as_ptr()),
        )
    };
    let sum = |a: int32x4_t, b: int32x4_t| {
        let b = vmulq_f32(vcvtq_f32_s32(b), offset);
        rounded(vfmaq_f32(b, vcvtq_f32_s32(a), multiplier))
    };
    [
        sum(vmovl_s16(vget_low_s16(a)), vmovl_s16(vget_low_s16(b))),
        sum(vmovl_high_s16(a), vmovl_high_s16(b)),
    ]
}

/// Converts four vectors of rounded steps to clamped codes, and records the distances in `away`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn narrowed(
    steps: [Steps; 4],
    constants: Constants<'_>,
    away: &mut [float32x4_t; 4],
) -> [int16x8_t; 2] {
    for (away, step) in away.iter_mut().zip(steps) {
        *away = vmaxq_f32(*away, step.1);
    }
    // SAFETY: there are sixteen ends, all the same.
    let (low, high) = unsafe {
        (
            vld1q_s16(constants.ends.low.as_ptr()),
            vld1q_s16(constants.ends.high.as_ptr()),
        )
    };
    let clamped = |a: Steps, b: Steps| {
        let codes = vqmovn_high_s32(vqmovn_s32(a.0), b.0);
        vminq_s16(vmaxq_s16(codes, low), high)
    };
    [clamped(steps[0], steps[1]), clamped(steps[2], steps[3])]
}
