//! What `cubecl-cuda` names of `cubecl-llvm`, without LLVM.
//!
//! cubecl 0.11 compiles two CUDA code generators and links both: CUDA C++ through NVRTC, and LLVM, whose build script
//! downloads a compiler. With `cubecl-cuda`'s feature `cpp` the first one runs, so the second needs only its types.
//! The workspace's `[patch.crates-io]` puts this crate in its place. Asked to compile, it answers with an error.

pub use shared::base::{
    LlvmTarget, NvptxModule, PlironArtifact, PlironCompiler, PlironOptions,
};

/// PTX.
pub mod nvptx {
    /// Versions of PTX.
    pub mod ptx_version {
        use core::fmt;

        /// A version of PTX; none is known here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            /// The newest version that CUDA `driver` loads: always `None`, which names no cache and no feature.
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

/// What all targets have in common.
pub mod shared {
    pub mod base;

    /// Features of a device that LLVM can lower.
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        /// Where code goes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GpuTarget {
            /// NVIDIA.
            Nvptx,
        }

        /// Narrows `_props` to what LLVM lowers; called only where LLVM compiles, and nothing compiles here.
        pub fn restrict_features(_props: &mut DeviceProperties, _target: GpuTarget) {}
    }
}
