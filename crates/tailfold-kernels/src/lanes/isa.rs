//! Choice of the instruction set.

use super::Task;
use crate::KernelError;

/// The instruction set of the kernels. An instruction set that some processors lack comes only from
/// [`Isa::available`], which checks the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 with VNNI, which multiplies and adds pairs or four bytes in one instruction.
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
    /// NEON with SDOT, which multiplies and adds four bytes in one instruction.
    #[cfg(target_arch = "aarch64")]
    #[non_exhaustive]
    NeonDotprod,
    /// NEON, which every 64-bit ARM has.
    #[cfg(target_arch = "aarch64")]
    #[non_exhaustive]
    Neon,
    /// WebAssembly SIMD, in modules that are compiled for it.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    #[non_exhaustive]
    Simd128,
    /// Plain arrays, vectorised by the compiler.
    Portable,
}

impl Isa {
    /// The instruction set that the environment variable `TAILFOLD_ISA` names, otherwise the widest of this processor.
    ///
    /// # Errors
    /// [`KernelError::Isa`] when this processor does not have the named instruction set.
    pub fn detect() -> Result<Self, KernelError> {
        match std::env::var_os("TAILFOLD_ISA") {
            Some(name) => Self::named(&name.to_string_lossy()),
            None => Ok(*Self::available().first().unwrap_or(&Self::Portable)),
        }
    }

    /// The instruction set with the name `name`.
    ///
    /// # Errors
    /// [`KernelError::Isa`] when this processor does not have the instruction set.
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

    /// All instruction sets of this processor, the widest first.
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
        {
            if std::arch::is_aarch64_feature_detected!("dotprod") {
                found.push(Self::NeonDotprod);
            }
            found.push(Self::Neon);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        found.push(Self::Simd128);
        found.push(Self::Portable);
        found
    }

    /// The name, as in `TAILFOLD_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "avx-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod => "neon-dotprod",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => "simd128",
            Self::Portable => "portable",
        }
    }

    /// Whether one instruction multiplies and adds four bytes.
    pub(crate) fn has_quads(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni | Self::AvxVnni => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => false,
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => false,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => false,
            Self::Portable => false,
        }
    }

    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => super::x86::run_avx512_vnni(task),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => super::x86::run_avx_vnni(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::x86::run_avx2(task),
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod => super::arm::run_dotprod(task),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => super::arm::run_neon(task),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => task.run::<super::wasm::Simd128>(),
            Self::Portable => task.run::<super::portable::Portable>(),
        }
    }
}
