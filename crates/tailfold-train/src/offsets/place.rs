//! Who solves the transport problem.

use burn::prelude::Device;
use tailfold_sdot::MAX_NEWTON_CLASSES;

use crate::config::{ConfigError, OffsetSolver};
use crate::device::is_cpu;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The processor.
    Host,
    /// The device that trains.
    Device,
}

impl Place {
    /// By the configuration's rule, for `classes` on `device`.
    pub(super) fn new(
        solver: OffsetSolver,
        classes: usize,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let fits = classes <= MAX_NEWTON_CLASSES;
        match solver {
            OffsetSolver::Device if !fits => Err(ConfigError::Value {
                key: "offsets.solver",
                value: format!("`device` for {classes} classes"),
                expected: "`cpu` or `auto` for more than 512",
            }),
            OffsetSolver::Device => Ok(Self::Device),
            OffsetSolver::Auto if fits && !is_cpu(device) => Ok(Self::Device),
            OffsetSolver::Auto | OffsetSolver::Cpu => Ok(Self::Host),
        }
    }
}
