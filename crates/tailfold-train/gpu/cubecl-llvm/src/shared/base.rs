//! A compiler that always returns an error, with its option and result types.

use core::ffi::c_char;

use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_server::compiler::CompilationError;
use cubecl_server::kernel::BufferIOAttr;

use crate::nvptx::ptx_version::PtxVersion;

/// The target of the generated code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LlvmTarget {
    /// NVIDIA GPUs.
    Nvptx,
}

/// A compiled kernel.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    /// Zero-terminated PTX assembly.
    pub ptx: Vec<c_char>,
    /// Name of the kernel.
    pub entrypoint: String,
    /// Source for logs.
    pub ir: String,
    /// Shared memory of a launch, in bytes.
    pub shared_memory_size: usize,
    /// Use of each buffer, in binding order.
    pub io: Vec<BufferIOAttr>,
}

/// The result of a compiler.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlironArtifact {
    /// Code for NVIDIA GPUs.
    NvptxCode(NvptxModule),
}

/// Options of a compiler.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// CPU architecture, for other targets.
    pub arch: Option<()>,
    /// GPU architecture.
    pub sm_arch: Option<SmArch>,
    /// Version of PTX.
    pub ptx_version: Option<PtxVersion>,
    /// Whether launch parameters are grid constants.
    pub grid_constants: bool,
    /// Buffer alignment, for other targets.
    pub cpu_buffer_alignment: Option<u32>,
}

/// The compiler.
#[derive(Clone, Debug)]
pub struct PlironCompiler {
    /// Target of the generated code.
    pub target: LlvmTarget,
}

impl PlironCompiler {
    /// Returns an error.
    ///
    /// # Errors
    /// Always, because this build has no LLVM.
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

    /// Returns the name of the compiler's language in logs.
    pub fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
