//! Execution providers of ONNX Runtime.

/// An execution provider of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// ONNX Runtime's own CPU provider.
    Cpu,
    /// CUDA.
    Cuda,
    /// TensorRT, which compiles the network for one GPU.
    Tensorrt,
    /// TensorRT for RTX, a plug-in with its own library.
    TensorrtRtx,
}

impl Provider {
    /// Returns the name of the back end in reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "ort",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
            Self::TensorrtRtx => "tensorrt-rtx",
        }
    }

    /// Returns ONNX Runtime's name of the provider.
    pub fn ort_name(self) -> &'static str {
        match self {
            Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::Tensorrt => "TensorrtExecutionProvider",
            Self::TensorrtRtx => "NvTensorRTRTXExecutionProvider",
        }
    }

    /// Returns the file name of the provider's library; `None` for the CPU, which is part of ONNX Runtime's
    /// own library.
    pub(crate) fn library(self) -> Option<&'static str> {
        match self {
            Self::Cpu => None,
            Self::Cuda => Some("libonnxruntime_providers_cuda.so"),
            Self::Tensorrt => Some("libonnxruntime_providers_tensorrt.so"),
            Self::TensorrtRtx => Some("libonnxruntime_providers_nv_tensorrt_rtx.so"),
        }
    }

    /// Returns whether the provider compiles the network into an engine that should be cached.
    pub(crate) fn builds_engines(self) -> bool {
        matches!(self, Self::Tensorrt | Self::TensorrtRtx)
    }

    /// Returns the packages to install for this provider.
    pub(crate) fn install(self) -> &'static str {
        match self {
            Self::Cpu => "ONNX Runtime",
            Self::Cuda => {
                "ONNX Runtime for GPUs, NVIDIA's driver, and CUDA 13 (PyPI: nvidia-cublas, \
                 nvidia-curand, nvidia-cudnn-cu13)"
            }
            Self::Tensorrt => {
                "ONNX Runtime for GPUs, NVIDIA's driver, CUDA 13, cuDNN 9 and TensorRT 10 \
                 (NVIDIA's packages: PyPI has none)"
            }
            Self::TensorrtRtx => "ONNX Runtime's plug-in of TensorRT for RTX and NVIDIA's driver",
        }
    }
}
