//! Sixteen lanes in one AVX-512 vector.
#![expect(
    unsafe_code,
    reason = "vector instructions are chosen at run time, and vectors are read and written through pointers"
)]

use std::arch::x86_64::*;

use super::rounding::{blend, codes_in_one_vector, packed, requantized, store_codes};
use crate::lanes::Constants;
use crate::lanes::{LANES, Lanes};

/// Sums of sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct One(__m512i);

/// Returns `vector` unchanged but opaque to the optimiser, like `black_box`.
#[inline]
#[target_feature(enable = "avx512f")]
fn opaque512(mut vector: __m512i) -> __m512i {
    // SAFETY: the assembly has no instruction.
    unsafe { std::arch::asm!("/* {} */", inout(zmm_reg) vector, options(nomem, nostack)) };
    vector
}

impl Lanes for One {
    type Pairs = __m512i;
    const TILE: usize = 12;

    codes_in_one_vector!();

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: this type is only used below the function that enables its features.
        Self(unsafe { _mm512_setzero_si512() })
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        // SAFETY: as above; the caller answers for the pointer.
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_sub_epi32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs {
        // SAFETY: as above; the caller answers for the pointer.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs {
        // SAFETY: as above.
        unsafe {
            let low = _mm512_castsi256_si512(_mm256_unpacklo_epi16(a, b));
            _mm512_inserti64x4::<1>(low, _mm256_unpackhi_epi16(a, b))
        }
    }

    #[inline(always)]
    fn opaque(pairs: Self::Pairs) -> Self::Pairs {
        // SAFETY: as above.
        unsafe { opaque512(pairs) }
    }

    #[inline(always)]
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_dpwssd_epi32(self.0, a, b) })
    }

    #[inline(always)]
    fn dot4(self, weights: Self::Quads, codes: Self::Quads) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_dpbusd_epi32(self.0, codes, weights) })
    }

    #[inline(always)]
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes {
        // SAFETY: as above.
        unsafe {
            packed(
                requantized(_mm512_castsi512_si256(self.0), constants, 0),
                requantized(_mm512_extracti64x4_epi64::<1>(self.0), constants, 1),
                constants,
                away,
            )
        }
    }
}
