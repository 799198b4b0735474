//! Sixteen lanes in two AVX2 vectors.
#![expect(
    unsafe_code,
    reason = "vector instructions are chosen at run time, and vectors are read and written through pointers"
)]

use std::arch::x86_64::*;

use super::rounding::{blend, codes_in_one_vector, packed, requantized, store_codes};
use crate::lanes::Constants;
use crate::lanes::{LANES, Lanes};

/// Multiplication and addition, the only operations that differ between AVX2 with and without VNNI.
pub(crate) trait Unit: Copy {
    /// Adds two products per lane to `sum`.
    ///
    /// # Safety
    /// The processor has the extension.
    unsafe fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i;

    /// Adds four products per lane to `sum`. Bytes of weights are signed, bytes of codes unsigned.
    ///
    /// # Safety
    /// The processor has the extension.
    unsafe fn dot4(sum: __m256i, weights: __m256i, codes: __m256i) -> __m256i;
}

#[derive(Clone, Copy)]
pub(crate) struct Plain;

#[derive(Clone, Copy)]
pub(crate) struct Vnni;

impl Unit for Plain {
    #[inline(always)]
    unsafe fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    }

    /// Multiplies even and odd bytes separately as 16-bit pairs, because the instruction for bytes (`pmaddubsw`)
    /// saturates. Used only in tests, because 16-bit pairs are faster.
    #[inline(always)]
    unsafe fn dot4(sum: __m256i, weights: __m256i, codes: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(weights));
            let odd = _mm256_srai_epi16::<8>(weights);
            let even_codes = _mm256_and_si256(codes, _mm256_set1_epi16(0xff));
            let odd_codes = _mm256_srli_epi16::<8>(codes);
            Self::dot(Self::dot(sum, even, even_codes), odd, odd_codes)
        }
    }
}

impl Unit for Vnni {
    #[inline(always)]
    unsafe fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_dpwssd_avx_epi32(sum, a, b) }
    }

    #[inline(always)]
    unsafe fn dot4(sum: __m256i, weights: __m256i, codes: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_dpbusd_avx_epi32(sum, codes, weights) }
    }
}

/// Two vectors of AVX2: lanes 0-7 and 8-15.
#[derive(Clone, Copy)]
pub(crate) struct Two<U> {
    sums: [__m256i; 2],
    unit: std::marker::PhantomData<U>,
}

/// Returns `vector` unchanged but opaque to the optimiser, like `black_box`.
#[inline]
#[target_feature(enable = "avx2")]
fn opaque256(mut vector: __m256i) -> __m256i {
    // SAFETY: the assembly has no instruction.
    unsafe { std::arch::asm!("/* {} */", inout(ymm_reg) vector, options(nomem, nostack)) };
    vector
}

impl<U: Unit> Two<U> {
    #[inline(always)]
    fn new(sums: [__m256i; 2]) -> Self {
        Self {
            sums,
            unit: std::marker::PhantomData,
        }
    }
}

impl<U: Unit> Lanes for Two<U> {
    type Pairs = [__m256i; 2];
    const TILE: usize = 6;

    codes_in_one_vector!();

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: this type is only used below the function that enables its features.
        Self::new(unsafe { [_mm256_setzero_si256(); 2] })
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        // SAFETY: as above; the caller answers for the pointer.
        Self::new(unsafe {
            [
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(8).cast()),
            ]
        })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe {
            _mm256_storeu_si256(to.cast(), self.sums[0]);
            _mm256_storeu_si256(to.add(8).cast(), self.sums[1]);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self::new(unsafe {
            [
                _mm256_add_epi32(self.sums[0], other.sums[0]),
                _mm256_add_epi32(self.sums[1], other.sums[1]),
            ]
        })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self::new(unsafe {
            [
                _mm256_sub_epi32(self.sums[0], other.sums[0]),
                _mm256_sub_epi32(self.sums[1], other.sums[1]),
            ]
        })
    }

    #[inline(always)]
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe {
            [
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(16).cast()),
            ]
        }
    }

    #[inline(always)]
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer.
        [unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }; 2]
    }

    #[inline(always)]
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs {
        // SAFETY: as above.
        unsafe { [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)] }
    }

    #[inline(always)]
    fn opaque([a, b]: Self::Pairs) -> Self::Pairs {
        // SAFETY: as above.
        unsafe { [opaque256(a), opaque256(b)] }
    }

    #[inline(always)]
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self {
        // SAFETY: as above; the same function enables the extension `U`.
        Self::new(unsafe {
            [
                U::dot(self.sums[0], a[0], b[0]),
                U::dot(self.sums[1], a[1], b[1]),
            ]
        })
    }

    #[inline(always)]
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self {
        // SAFETY: as above; the same function enables the extension `U`.
        Self::new(unsafe {
            [
                U::dot4(self.sums[0], weights[0], codes[0]),
                U::dot4(self.sums[1], weights[1], codes[1]),
            ]
        })
    }

    #[inline(always)]
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes {
        // SAFETY: as above.
        unsafe {
            packed(
                requantized(self.sums[0], constants, 0),
                requantized(self.sums[1], constants, 1),
                constants,
                away,
            )
        }
    }
}
