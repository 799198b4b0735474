//! The GPU of this machine, as reported by NVIDIA's management library.

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::{OrtError, OrtErrorKind};

/// A GPU and its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Name of the GPU, such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Version of the driver.
    pub driver: String,
    /// Compute capability, such as `9.0`.
    pub compute_capability: String,
}

impl Gpu {
    /// Returns the first GPU.
    ///
    /// # Errors
    /// [`OrtError`] when the driver is missing, does not answer or finds no GPU.
    pub fn first() -> Result<Self, OrtError> {
        let nvml = Nvml::init().map_err(|error| match error {
            NvmlError::LibloadingError(_) => OrtErrorKind::Gpu
                .error("NVIDIA's driver is not installed (libnvidia-ml.so.1 cannot be loaded)"),
            other => silent(other),
        })?;
        let read = || -> Result<Option<Self>, NvmlError> {
            if nvml.device_count()? == 0 {
                return Ok(None);
            }
            let device = nvml.device_by_index(0)?;
            let capability = device.cuda_compute_capability()?;
            Ok(Some(Self {
                name: device.name()?,
                driver: nvml.sys_driver_version()?,
                compute_capability: format!("{}.{}", capability.major, capability.minor),
            }))
        };
        read()
            .map_err(silent)?
            .ok_or_else(|| OrtErrorKind::Gpu.error("NVIDIA's driver finds no GPU"))
    }
}

fn silent(cause: NvmlError) -> OrtError {
    OrtErrorKind::Gpu
        .error("NVIDIA's driver does not answer")
        .caused_by(cause)
}
