//! The training device: the back ends of this build, and a check for the libraries that they load.
//!
//! burn's GPU back ends panic or hang if a driver is missing, so the libraries are checked first. A requested device
//! that is unavailable is an error, and no other device replaces it.

#[cfg(any(feature = "cuda", feature = "vulkan"))]
mod libraries;

use burn::prelude::Device;

use crate::error::{TrainError, TrainErrorKind};

/// A back end of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BackEnd {
    /// CPU, in pure Rust; available in every build, and the only back end with bit-reproducible runs.
    Cpu,
    /// NVIDIA GPU, through CUDA C++ compiled at run time; requires a build with the feature `cuda`.
    Cuda,
    /// Any GPU with a Vulkan driver; requires a build with the feature `vulkan`.
    Vulkan,
}

impl BackEnd {
    /// Returns the name used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Vulkan => "vulkan",
        }
    }

    /// Opens the first device of this back end, without autodiff. `CUDA_VISIBLE_DEVICES` selects among several CUDA
    /// GPUs.
    ///
    /// # Errors
    /// [`TrainErrorKind::NotBuilt`] when the build does not include the back end; [`TrainErrorKind::NotInstalled`] and
    /// [`TrainErrorKind::NoGpu`] when a library or a GPU is missing.
    pub fn open(self) -> Result<Device, TrainError> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Self::Cuda => cuda(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => vulkan(),
            #[cfg(not(all(feature = "cuda", feature = "vulkan")))]
            absent => {
                let text = format!("this build has no `{}` back end", absent.as_str());
                Err(TrainErrorKind::NotBuilt.error(text))
            }
        }
    }
}

/// Returns whether `device` is the CPU, with or without autodiff; cheap enough for every call of an operation.
pub fn is_cpu(device: &Device) -> bool {
    // Devices are equal if their hardware is; autodiff does not count.
    *device == Device::flex()
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
fn not_installed(back_end: BackEnd, missing: &str, install: &str) -> TrainError {
    let name = back_end.as_str();
    TrainErrorKind::NotInstalled.error(format!(
        "the back end `{name}` needs {missing}, which was not found: install {install}"
    ))
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
fn no_gpu(back_end: BackEnd) -> TrainError {
    let name = back_end.as_str();
    TrainErrorKind::NoGpu.error(format!(
        "the back end `{name}` finds no GPU on this machine"
    ))
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, TrainError> {
    let missing = |what, install| not_installed(BackEnd::Cuda, what, install);
    // Kernels are compiled on this machine, so the compiler and its headers are needed in addition to the driver.
    if !libraries::opens(&["libcuda.so.1", "libcuda.so", "nvcuda.dll"]) {
        return Err(missing("NVIDIA's driver (libcuda)", "the NVIDIA driver"));
    }
    let compilers = [
        "libnvrtc.so",
        "libnvrtc.so.13",
        "libnvrtc.so.12",
        "libnvrtc.so.11",
        "nvrtc64_130_0.dll",
        "nvrtc64_120_0.dll",
    ];
    if !libraries::opens(&compilers) {
        return Err(missing(
            "CUDA's run-time compiler (libnvrtc)",
            "the CUDA toolkit, its libraries on the loader's path (LD_LIBRARY_PATH)",
        ));
    }
    let headers = cubecl_cuda::install::cuda_path().map(|path| path.join("include/cuda.h"));
    if !headers.is_some_and(|header| header.is_file()) {
        return Err(missing(
            "CUDA's headers (include/cuda.h)",
            "the CUDA toolkit and point CUDA_PATH at it",
        ));
    }
    let devices = Device::enumerate(burn::tensor::DeviceType::Cuda);
    let first = devices.into_iter().next();
    first.ok_or_else(|| no_gpu(BackEnd::Cuda))
}

#[cfg(feature = "vulkan")]
fn vulkan() -> Result<Device, TrainError> {
    use burn::prelude::DeviceKind;
    if !libraries::opens(&["libvulkan.so.1", "libvulkan.so", "vulkan-1.dll"]) {
        return Err(not_installed(
            BackEnd::Vulkan,
            "the Vulkan loader (libvulkan)",
            "the Vulkan loader and the GPU's driver (Debian: libvulkan1)",
        ));
    }
    // A software rasterizer is also a device, but it does not count as a GPU.
    let gpus = [
        DeviceKind::DiscreteGpu(0),
        DeviceKind::IntegratedGpu(0),
        DeviceKind::VirtualGpu(0),
    ]
    .map(Device::vulkan);
    let devices = Device::enumerate(burn::tensor::DeviceType::Vulkan);
    let found = gpus.into_iter().find(|gpu| devices.contains(gpu));
    found.ok_or_else(|| no_gpu(BackEnd::Vulkan))
}

#[cfg(test)]
mod tests;
