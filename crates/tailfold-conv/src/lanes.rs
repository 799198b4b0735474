//! Vectors of sixteen floats, on the widest vector extension of the processor.
//!
//! Every implementation rounds a product and a sum once (fused multiply-add), and no operation crosses lanes. So all
//! implementations give the same bits.
#![expect(
    unsafe_code,
    reason = "vector instructions are chosen at run time, and tiles are read through pointers"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

/// Lanes of a vector, the same on every processor.
pub(crate) const LANES: usize = 16;

/// Sixteen floats.
pub(crate) trait Lanes: Copy {
    /// Whether the register file holds at least sixteen accumulators.
    const WIDE: bool;

    fn splat(x: f32) -> Self;

    /// # Safety
    /// Sixteen floats can be read from `from`.
    unsafe fn load(from: *const f32) -> Self;

    /// # Safety
    /// Sixteen floats can be written to `to`.
    unsafe fn store(self, to: *mut f32);

    /// `self + a * b`, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
}

/// The instruction set of the kernels. An instruction set that some processors lack comes only from
/// [`Isa::available`], which checks the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512F.
    #[cfg(target_arch = "x86_64")]
    #[non_exhaustive]
    Avx512,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    #[non_exhaustive]
    Avx2,
    /// Plain arrays, vectorised by the compiler.
    Portable,
}

/// A loop that is compiled once per instruction set. `run` and the functions it calls must be inlined to profit.
pub(crate) trait Task {
    type Output;
    fn run<L: Lanes>(self) -> Self::Output;
}

impl Isa {
    /// The widest instruction set of this processor.
    pub fn detect() -> Self {
        *Self::available().first().unwrap_or(&Self::Portable)
    }

    /// All instruction sets of this processor, the widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
            {
                found.push(Self::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Self::Avx2);
            }
        }
        found.push(Self::Portable);
        found
    }

    pub(crate) fn wide(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => false,
            Self::Portable => false,
        }
    }

    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            // SAFETY: only `available` makes this value, after detecting the features.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { run_avx512(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { run_avx2(task) },
            Self::Portable => task.run::<[f32; LANES]>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn run_avx512<T: Task>(task: T) -> T::Output {
    task.run::<__m512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) -> T::Output {
    task.run::<[__m256; 2]>()
}

#[cfg(target_arch = "x86_64")]
impl Lanes for __m512 {
    const WIDE: bool = true;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: this type is only used below `run_avx512`.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: this type is only used below `run_avx512`; the caller answers for the pointer.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: this type is only used below `run_avx512`; the caller answers for the pointer.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        // SAFETY: this type is only used below `run_avx512`.
        unsafe { _mm512_fmadd_ps(a, b, self) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for [__m256; 2] {
    const WIDE: bool = false;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: this type is only used below `run_avx2`.
        [unsafe { _mm256_set1_ps(x) }; 2]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: this type is only used below `run_avx2`; the caller answers for the pointer.
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: this type is only used below `run_avx2`; the caller answers for the pointer.
        unsafe {
            _mm256_storeu_ps(to, self[0]);
            _mm256_storeu_ps(to.add(8), self[1]);
        }
    }

    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        // SAFETY: this type is only used below `run_avx2`.
        unsafe {
            [
                _mm256_fmadd_ps(a[0], b[0], self[0]),
                _mm256_fmadd_ps(a[1], b[1], self[1]),
            ]
        }
    }
}

impl Lanes for [f32; LANES] {
    const WIDE: bool = false;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller answers for the pointer; an array of floats needs no more alignment than a float.
        unsafe { from.cast::<Self>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller answers for the pointer; an array of floats needs no more alignment than a float.
        unsafe { to.cast::<Self>().write(self) }
    }

    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        std::array::from_fn(|i| a[i].mul_add(b[i], self[i]))
    }
}
