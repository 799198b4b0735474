//! Lanes in the vectors of AVX2 and AVX-512.
#![expect(
    unsafe_code,
    reason = "vector instructions are chosen at run time, and vectors are read and written through pointers"
)]

use std::arch::x86_64::*;

use super::{LANES, Lanes, Task};
use crate::requantize::Constants;

/// How a vector unit multiplies pairs and adds: the only thing in which those with and without VNNI differ.
pub(crate) trait Unit: Copy {
    /// # Safety
    /// The processor has the unit.
    unsafe fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i;
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
}

impl Unit for Vnni {
    #[inline(always)]
    unsafe fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_dpwssd_avx_epi32(sum, a, b) }
    }
}

pub(super) fn run_avx2<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma")]
    fn run<T: Task>(task: T) {
        task.run::<Two<Plain>>();
    }
    // SAFETY: `Isa::available`, the only source of this choice, has seen the feature.
    unsafe { run(task) }
}

pub(super) fn run_avx_vnni<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma,avxvnni")]
    fn run<T: Task>(task: T) {
        task.run::<Two<Vnni>>();
    }
    // SAFETY: as above.
    unsafe { run(task) }
}

pub(super) fn run_avx512_vnni<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
    fn run<T: Task>(task: T) {
        task.run::<One>();
    }
    // SAFETY: as above.
    unsafe { run(task) }
}

/// Two vectors of AVX2: lanes 0-7 and 8-15.
#[derive(Clone, Copy)]
pub(crate) struct Two<U> {
    sums: [__m256i; 2],
    unit: std::marker::PhantomData<U>,
}

/// One vector of AVX-512.
#[derive(Clone, Copy)]
pub(crate) struct One(__m512i);

/// Rounded steps, and how far from them the steps were.
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
unsafe fn requantized(sums: __m256i, constants: Constants<'_>, half: usize) -> (__m256i, __m256) {
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

/// Two vectors of rounded steps as clamped codes; `away` sees how far they were.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn packed(
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

/// Eight codes of `a` and of `b`, weighted and rounded.
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
unsafe fn blend(
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
unsafe fn store_codes(codes: __m256i, to: *mut i16, count: usize) {
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

/// The same vector, of which the compiler no longer knows that it is.
#[inline]
#[target_feature(enable = "avx2")]
fn opaque256(mut vector: __m256i) -> __m256i {
    // SAFETY: there is no instruction.
    unsafe { std::arch::asm!("/* {} */", inout(ymm_reg) vector, options(nomem, nostack)) };
    vector
}

/// The same for a long one.
#[inline]
#[target_feature(enable = "avx512f")]
fn opaque512(mut vector: __m512i) -> __m512i {
    // SAFETY: there is no instruction.
    unsafe { std::arch::asm!("/* {} */", inout(zmm_reg) vector, options(nomem, nostack)) };
    vector
}

/// What lies in 256-bit vectors whatever the sums lie in.
macro_rules! codes_in_one_vector {
    () => {
        type Codes = __m256i;

        #[inline(always)]
        unsafe fn load_codes(from: *const i16) -> Self::Codes {
            // SAFETY: this type is only used below the function that enables its features; the caller answers for the pointer.
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
    fn to_array(self) -> [i32; LANES] {
        let mut sums = [0; LANES];
        // SAFETY: the array has sixteen sums.
        unsafe { self.store(sums.as_mut_ptr()) };
        sums
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
        // SAFETY: as above; `U` is a unit that the same function enables.
        Self::new(unsafe {
            [
                U::dot(self.sums[0], a[0], b[0]),
                U::dot(self.sums[1], a[1], b[1]),
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
    fn to_array(self) -> [i32; LANES] {
        let mut sums = [0; LANES];
        // SAFETY: the array has sixteen sums.
        unsafe { self.store(sums.as_mut_ptr()) };
        sums
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
