//! Where to train: the back ends of this build, and whether this machine has what they load.
//!
//! burn's GPU back ends panic or hang where a driver is missing, so all that they load is looked for first, and a device
//! that was asked for and is not there is an error: never another device.

#[cfg(any(feature = "cuda", feature = "vulkan"))]
mod libraries;

use burn::prelude::Device;

/// A back end of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BackEnd {
    /// The processor, in pure Rust; in every build, and the only one whose runs repeat bit by bit.
    Cpu,
    /// NVIDIA, through CUDA C++ compiled at run time; cargo feature `cuda`.
    Cuda,
    /// Any GPU with a Vulkan driver; cargo feature `vulkan`.
    Vulkan,
}

/// A device that was asked for and is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The build leaves the back end out.
    #[error("this build has no `{0}` back end")]
    NotBuilt(&'static str),
    /// The machine lacks something that the back end loads.
    #[error("the back end `{back_end}` needs {missing}, which is not here: install {install}")]
    Missing {
        /// The back end.
        back_end: &'static str,
        /// What was looked for.
        missing: &'static str,
        /// What brings it.
        install: &'static str,
    },
    /// Libraries are there, a GPU is not.
    #[error("the back end `{0}` finds no GPU on this machine")]
    NoGpu(&'static str),
}

impl BackEnd {
    /// Name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Vulkan => "vulkan",
        }
    }

    /// The first device of this back end, without autodiff. `CUDA_VISIBLE_DEVICES` chooses among several of CUDA.
    ///
    /// # Errors
    /// [`DeviceError`] when the build or the machine does not have it.
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Self::Cuda => cuda(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => vulkan(),
            #[cfg(not(all(feature = "cuda", feature = "vulkan")))]
            absent => Err(DeviceError::NotBuilt(absent.as_str())),
        }
    }
}

/// Whether `device` is the processor, with or without autodiff; cheap enough to ask at every call of an operation.
pub fn is_cpu(device: &Device) -> bool {
    // Equality of devices is that of the hardware: autodiff does not count.
    *device == Device::flex()
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, DeviceError> {
    let missing = |missing, install| DeviceError::Missing {
        back_end: "cuda",
        missing,
        install,
    };
    // Kernels are compiled where they run, so the compiler and its headers are needed beside the driver.
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
    first.ok_or(DeviceError::NoGpu("cuda"))
}

#[cfg(feature = "vulkan")]
fn vulkan() -> Result<Device, DeviceError> {
    use burn::prelude::DeviceKind;
    if !libraries::opens(&["libvulkan.so.1", "libvulkan.so", "vulkan-1.dll"]) {
        return Err(DeviceError::Missing {
            back_end: "vulkan",
            missing: "the Vulkan loader (libvulkan)",
            install: "the Vulkan loader and the GPU's driver (Debian: libvulkan1)",
        });
    }
    // A software rasteriser is a device too; it is not what was asked for.
    let gpus = [
        DeviceKind::DiscreteGpu(0),
        DeviceKind::IntegratedGpu(0),
        DeviceKind::VirtualGpu(0),
    ]
    .map(Device::vulkan);
    let devices = Device::enumerate(burn::tensor::DeviceType::Vulkan);
    let found = gpus.into_iter().find(|gpu| devices.contains(gpu));
    found.ok_or(DeviceError::NoGpu("vulkan"))
}

#[cfg(test)]
mod tests;
