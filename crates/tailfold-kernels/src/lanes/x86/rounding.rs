//! Requantization of sums to codes in 256-bit vectors, for sums in one or two vectors.
#![expect(
    unsafe_code,
    reason = "vector instructions are chosen at run time, and vectors are read and written through pointers"
)]

use std::arch::x86_64::*;

use crate::lanes::Constants;
use crate::lanes::LANES;

/// Rounds steps, ties to even, and returns the distances of the steps from the rounded ones.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn rounded(steps: __m256) -> (__m256i, __m256) {
    // SAFETY: the caller's promise.
    unsafe {
        let codes = _mm256_cvtps_epi32(steps);
        let away = _mm256_sub_ps(steps, _mm256_cvtepi32_ps(codes));
        (codes, _mm256_andnot_ps(_mm256_set1_ps(-0.0), away))
    }
}

/// `sums` of lanes `8 * half ..`, requantized in single precision.
///
/// # Safety
/// The processor has AVX2 and FMA, and `half` is 0 or 1.
#[inline(always)]
pub(super) unsafe fn requantized(
    sums: __m256i,
    constants: Constants<'_>,
    half: usize,
) -> (__m256i, __m256) {
    // SAFETY: the caller's promise; there are sixteen multipliers and offsets.
    unsafe {
        let multiplier = _mm256_loadu_ps(constants.multiplier.as_ptr().add(8 * half));
        let offset = _mm256_loadu_ps(constants.offset.as_ptr().add(8 * half));
        rounded(_mm256_fmadd_ps(
            _mm256_cvtepi32_ps(sums),
            multiplier,
            offset,
        ))
    }
}

/// Converts two vectors of rounded steps to clamped codes, and records the distances in `away`.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn packed(
    low: (__m256i, __m256),
    high: (__m256i, __m256),
    constants: Constants<'_>,
    away: &mut [__m256; 2],
) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        *away = [
            _mm256_max_ps(away[0], low.1),
            _mm256_max_ps(away[1], high.1),
        ];
        let codes = _mm256_packs_epi32(low.0, high.0);
        let low = _mm256_loadu_si256(constants.ends.low.as_ptr().cast());
        let high = _mm256_loadu_si256(constants.ends.high.as_ptr().cast());
        _mm256_min_epi16(_mm256_max_epi16(codes, low), high)
    }
}

/// Computes the weighted sums of eight codes of `a` and of `b`, and rounds them.
///
/// # Safety
/// The processor has AVX2 and FMA.
#[inline(always)]
unsafe fn mixed(a: __m128i, b: __m128i, constants: Constants<'_>) -> (__m256i, __m256) {
    // SAFETY: the caller's promise; there are sixteen multipliers and offsets, all the same.
    unsafe {
        let a = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(a));
        let b = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(b));
        let b = _mm256_mul_ps(b, _mm256_loadu_ps(constants.offset.as_ptr()));
        let multiplier = _mm256_loadu_ps(constants.multiplier.as_ptr());
        rounded(_mm256_fmadd_ps(a, multiplier, b))
    }
}

/// # Safety
/// The processor has AVX2 and FMA.
#[inline(always)]
pub(super) unsafe fn blend(
    a: __m256i,
    b: __m256i,
    constants: Constants<'_>,
    away: &mut [__m256; 2],
) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let low = mixed(
            _mm256_castsi256_si128(a),
            _mm256_castsi256_si128(b),
            constants,
        );
        let high = mixed(
            _mm256_extracti128_si256::<1>(a),
            _mm256_extracti128_si256::<1>(b),
            constants,
        );
        let codes = packed(low, high, constants, away);
        _mm256_permute4x64_epi64::<0b11_01_10_00>(codes)
    }
}

/// # Safety
/// `count` codes can be written to `to`, and the processor has AVX2.
#[inline(always)]
pub(super) unsafe fn store_codes(codes: __m256i, to: *mut i16, count: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match count {
            16 => _mm256_storeu_si256(to.cast(), codes),
            8 => _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(codes)),
            _ => {
                let mut all = [0_i16; LANES];
                _mm256_storeu_si256(all.as_mut_ptr().cast(), codes);
                std::ptr::copy_nonoverlapping(all.as_ptr(), to, count);
            }
        }
    }
}

/// The items of `Lanes` that use 256-bit vectors, for sums in one or two vectors.
macro_rules! codes_in_one_vector {
    () => {
        // Four bytes take as many bits of a lane as two codes.
        type Quads = Self::Pairs;
        type Codes = __m256i;
        const LEAST_BYTE: i16 = 0;

        #[inline(always)]
        unsafe fn load_quads(from: *const i8) -> Self::Quads {
            // SAFETY: the caller answers for the pointer.
            unsafe { Self::load_pairs(from.cast()) }
        }

        #[inline(always)]
        unsafe fn splat_quad(from: *const i8) -> Self::Quads {
            // SAFETY: the caller answers for the pointer.
            unsafe { Self::splat_pair(from.cast()) }
        }

        #[inline(always)]
        unsafe fn load_codes(from: *const i16) -> Self::Codes {
            // SAFETY: this type is only used below the function that enables its features; the caller answers for the
            // pointer.
            unsafe { _mm256_loadu_si256(from.cast()) }
        }

        #[inline(always)]
        unsafe fn widen(from: *const i8) -> Self::Codes {
            // SAFETY: as above; the caller answers for the pointer.
            unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast())) }
        }

        #[inline(always)]
        unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize) {
            // SAFETY: as above; the caller answers for the pointer.
            unsafe { store_codes(codes, to, count) }
        }

        #[inline(always)]
        unsafe fn store_bytes(codes: Self::Codes, to: *mut i8) {
            // SAFETY: as above; the caller answers for the pointer.
            unsafe {
                // After masking, all values fit into unsigned bytes, so packing does not saturate.
                let low = _mm256_and_si256(codes, _mm256_set1_epi16(0xff));
                let packed = _mm256_packus_epi16(low, low);
                let packed = _mm256_permute4x64_epi64::<0b00_00_10_00>(packed);
                _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(packed));
            }
        }

        #[inline(always)]
        fn codes(from: [i16; LANES]) -> Self::Codes {
            // SAFETY: as above; the array has sixteen codes.
            unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
        }

        #[inline(always)]
        fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
            // SAFETY: as above.
            unsafe { _mm256_add_epi16(a, b) }
        }

        #[inline(always)]
        fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes {
            // SAFETY: as above.
            unsafe { _mm256_sub_epi16(a, b) }
        }

        type Away = [__m256; 2];

        #[inline(always)]
        fn no_away() -> Self::Away {
            // SAFETY: as above. Distances are not negative.
            unsafe { [_mm256_setzero_ps(); 2] }
        }

        #[inline(always)]
        fn doubtful([low, high]: Self::Away, constants: Constants<'_>) -> bool {
            // SAFETY: as above; there are sixteen limits.
            unsafe {
                let doubt = constants.doubt.as_ptr();
                let low = _mm256_cmp_ps::<_CMP_GT_OQ>(low, _mm256_loadu_ps(doubt));
                let high = _mm256_cmp_ps::<_CMP_GT_OQ>(high, _mm256_loadu_ps(doubt.add(8)));
                _mm256_movemask_ps(_mm256_or_ps(low, high)) != 0
            }
        }

        #[inline(always)]
        fn blend(
            a: Self::Codes,
            b: Self::Codes,
            constants: Constants<'_>,
            away: &mut Self::Away,
        ) -> Self::Codes {
            // SAFETY: as above.
            unsafe { blend(a, b, constants, away) }
        }
    };
}
pub(super) use codes_in_one_vector;
