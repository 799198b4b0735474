//! The types of `cubecl-llvm` that `cubecl-cuda` needs, without LLVM.
//!
//! cubecl 0.11 compiles two CUDA code generators and links both: CUDA C++ through NVRTC, and LLVM, whose build script
//! downloads a compiler. With `cubecl-cuda`'s feature `cpp` the first generator runs, so only the types of the second
//! are needed. The workspace's `[patch.crates-io]` puts this crate in its place. A request to compile returns an error.

pub use shared::base::{
    LlvmTarget, NvptxModule, PlironArtifact, PlironCompiler, PlironOptions,
};

/// PTX, NVIDIA's assembly language.
pub mod nvptx {
    /// Versions of PTX.
    pub mod ptx_version {
        use core::fmt;

        /// A version of PTX; this crate knows none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            /// The newest version that CUDA `driver` loads: always `None`, which selects no cache and no feature.
            pub fn for_driver(_driver: i32) -> Option<Self> {
                None
            }
        }

        impl fmt::Display for PtxVersion {
            fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {}
            }
        }
    }
}

/// Items shared by all targets.
pub mod shared {
    pub mod base;

    /// Features of a device that LLVM can lower.
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        /// The target of the generated code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GpuTarget {
            /// NVIDIA GPUs.
            Nvptx,
        }

        /// Restricts `_props` to the features that LLVM lowers; called only where LLVM compiles, which never happens
        /// here.
        pub fn restrict_features(_props: &mut DeviceProperties, _target: GpuTarget) {}
    }
}
