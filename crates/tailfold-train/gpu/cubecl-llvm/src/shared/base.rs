//! The compiler that refuses, with its options and what it would make.

use core::ffi::c_char;

use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_server::compiler::CompilationError;
use cubecl_server::kernel::BufferIOAttr;

use crate::nvptx::ptx_version::PtxVersion;

/// Where code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LlvmTarget {
    /// NVIDIA.
    Nvptx,
}

/// A compiled kernel.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    /// Assembly, ended by a zero.
    pub ptx: Vec<c_char>,
    /// Name of the kernel.
    pub entrypoint: String,
    /// Source for logs.
    pub ir: String,
    /// Shared memory of a launch, bytes.
    pub shared_memory_size: usize,
    /// How each buffer is used, in binding order.
    pub io: Vec<BufferIOAttr>,
}

/// What a compiler makes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlironArtifact {
    /// For NVIDIA.
    NvptxCode(NvptxModule),
}

/// Options of a compiler.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// Processor, for other targets.
    pub arch: Option<()>,
    /// GPU.
    pub sm_arch: Option<SmArch>,
    /// PTX.
    pub ptx_version: Option<PtxVersion>,
    /// Launch parameters as grid constants.
    pub grid_constants: bool,
    /// For other targets.
    pub cpu_buffer_alignment: Option<u32>,
}

/// The compiler.
#[derive(Clone, Debug)]
pub struct PlironCompiler {
    /// Where code goes.
    pub target: LlvmTarget,
}

impl PlironCompiler {
    /// Compiles nothing.
    ///
    /// # Errors
    /// Always: this build has no LLVM.
    pub fn compile(
        &mut self,
        _kernel: KernelDefinition,
        _options: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        Err(CompilationError::Generic {
            reason: "this build has no LLVM; it compiles CUDA C++ (feature `cpp` of cubecl-cuda)"
                .to_owned(),
            backtrace: cubecl_core::environment::backtrace::BackTrace::capture(),
        })
    }

    /// Name of its language in logs.
    pub fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
