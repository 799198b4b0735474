//! Sixteen sums at a time, on the widest unit that the processor has.
//!
//! A kernel is written once over [`Lanes`]; integer sums are exact and requantization is checked against the exact value
//! wherever rounding could differ, so all implementations give the same bits.
#![expect(unsafe_code, reason = "vectors are read and written through pointers")]

#[cfg(target_arch = "aarch64")]
mod arm;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::KernelError;
use crate::requantize::Constants;

/// Lanes of a vector, whatever the processor.
pub(crate) const LANES: usize = 16;

/// Which of sixteen channels each lane holds: the order in which the processor interleaves and packs, so that neither needs
/// a permutation. Weights, multipliers and offsets are packed in it.
pub(crate) const ORDER: [usize; LANES] = if cfg!(target_arch = "x86_64") {
    [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]
} else {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
};

/// Sixteen 32-bit sums.
pub(crate) trait Lanes: Copy {
    /// Two codes for every lane.
    type Pairs: Copy;
    /// Sixteen 16-bit codes in the order of channels.
    type Codes: Copy;
    /// Accumulators that the register file holds beside what feeds them.
    const TILE: usize;

    fn zero() -> Self;

    /// # Safety
    /// Sixteen sums can be read from `from`.
    unsafe fn load(from: *const i32) -> Self;

    /// # Safety
    /// Sixteen sums can be written to `to`.
    unsafe fn store(self, to: *mut i32);

    fn add(self, other: Self) -> Self;

    fn sub(self, other: Self) -> Self;

    fn to_array(self) -> [i32; LANES];

    /// # Safety
    /// Thirty-two codes can be read from `from`.
    unsafe fn load_pairs(from: *const i16) -> Self::Pairs;

    /// The two codes at `from` in every lane.
    ///
    /// # Safety
    /// Two codes can be read from `from`.
    unsafe fn splat_pair(from: *const i16) -> Self::Pairs;

    /// Lane by lane, the code of `a` and the code of `b`.
    fn zip(a: Self::Codes, b: Self::Codes) -> Self::Pairs;

    /// The same pairs, of which the compiler no longer knows that they are.
    fn opaque(pairs: Self::Pairs) -> Self::Pairs;

    /// `self + a.0 * b.0 + a.1 * b.1`, lane by lane.
    fn dot(self, a: Self::Pairs, b: Self::Pairs) -> Self;

    /// # Safety
    /// Sixteen codes can be read from `from`.
    unsafe fn load_codes(from: *const i16) -> Self::Codes;

    /// Sixteen bytes as codes.
    ///
    /// # Safety
    /// Sixteen bytes can be read from `from`.
    unsafe fn widen(from: *const i8) -> Self::Codes;

    /// Writes the first `count` codes.
    ///
    /// # Safety
    /// `count` codes can be written to `to`; `count` is at most sixteen.
    unsafe fn store_codes(codes: Self::Codes, to: *mut i16, count: usize);

    fn codes(from: [i16; LANES]) -> Self::Codes;

    fn add_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes;

    fn sub_codes(a: Self::Codes, b: Self::Codes) -> Self::Codes;

    /// How far results were from their rounded values.
    type Away: Copy;

    fn no_away() -> Self::Away;

    /// Whether any result of those that `away` has seen lies so near to a tie that it may be wrong.
    fn doubtful(away: Self::Away, constants: Constants<'_>) -> bool;

    /// Single-precision requantization; `away` sees it. Results stay within 32 bits, or all are to be doubted.
    fn requantize(self, constants: Constants<'_>, away: &mut Self::Away) -> Self::Codes;

    /// `a * multiplier + b * offset`, clamped and rounded; `away` sees it.
    fn blend(
        a: Self::Codes,
        b: Self::Codes,
        constants: Constants<'_>,
        away: &mut Self::Away,
    ) -> Self::Codes;
}

/// The vector unit that is used; only [`Isa::available`] makes those that a processor may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 with VNNI: a product of pairs and its addition in one instruction.
    #[cfg(target_arch = "x86_64")]
    #[non_exhaustive]
    Avx512Vnni,
    /// AVX2 with VNNI.
    #[cfg(target_arch = "x86_64")]
    #[non_exhaustive]
    AvxVnni,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    #[non_exhaustive]
    Avx2,
    /// NEON, which every 64-bit ARM has.
    #[cfg(target_arch = "aarch64")]
    #[non_exhaustive]
    Neon,
    /// What the compiler makes of arrays.
    Portable,
}

/// Work that is compiled once for every vector unit. `run` and what it calls must be inlined to profit.
pub(crate) trait Task {
    fn run<L: Lanes>(self);
}

impl Isa {
    /// The widest that this processor has, or the one that the environment variable `TAILFOLD_ISA` names.
    ///
    /// # Errors
    /// [`KernelError::Isa`] when it names one that this processor does not have.
    pub fn detect() -> Result<Self, KernelError> {
        match std::env::var_os("TAILFOLD_ISA") {
            Some(name) => Self::named(&name.to_string_lossy()),
            None => Ok(*Self::available().first().unwrap_or(&Self::Portable)),
        }
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// [`KernelError::Isa`] when this processor does not have it.
    pub fn named(name: &str) -> Result<Self, KernelError> {
        let available = Self::available();
        available
            .iter()
            .copied()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| KernelError::Isa {
                found: name.to_owned(),
                available: available
                    .iter()
                    .map(|isa| isa.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// All that this processor has, the widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                found.push(Self::Avx512Vnni);
            }
            if avx2 && is_x86_feature_detected!("avxvnni") {
                found.push(Self::AvxVnni);
            }
            if avx2 {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        found.push(Self::Portable);
        found
    }

    /// Its name, as `TAILFOLD_ISA` has it.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "avx-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => x86::run_avx512_vnni(task),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => x86::run_avx_vnni(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::run_avx2(task),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => arm::run_neon(task),
            Self::Portable => task.run::<portable::Portable>(),
        }
    }
}
