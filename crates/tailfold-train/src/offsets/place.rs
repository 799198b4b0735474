//! The device that solves the transport problem.

use burn::prelude::Device;
use tailfold_sdot::MAX_NEWTON_CLASSES;

use crate::config::OffsetSolver;
use crate::device::is_cpu;
use crate::error::{TrainError, TrainErrorKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The CPU.
    Host,
    /// The training device.
    Device,
}

impl Place {
    /// Selects the place by the configuration's rule, for `classes` on `device`.
    pub(super) fn new(
        solver: OffsetSolver,
        classes: usize,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let fits = classes <= MAX_NEWTON_CLASSES;
        match solver {
            OffsetSolver::Device if !fits => Err(TrainErrorKind::Config.error(format!(
                "offsets.solver is `device` for {classes} classes, expected `cpu` or `auto` for more than 512"
            ))),
            OffsetSolver::Device => Ok(Self::Device),
            OffsetSolver::Auto if fits && !is_cpu(device) => Ok(Self::Device),
            OffsetSolver::Auto | OffsetSolver::Cpu => Ok(Self::Host),
        }
    }
}
