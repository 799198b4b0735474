//! Outcome of the re-balancing of the last bias.

use tailfold_onnx::NoLastBias;
use tailfold_sdot::SolveError;

/// Outcome of the re-balancing of the last bias.
#[derive(Clone, Debug, PartialEq)]
pub enum Rebalanced {
    /// Re-balancing was not requested.
    NotAsked,
    /// The logits are shifted by these values, `[classes]`, sum 0. Each is at most the root mean square quantization
    /// error of its logit on the calibration images.
    Done(Vec<f64>),
    /// The bias is unchanged, for this reason.
    LeftOut(LeftOut),
}

impl Rebalanced {
    /// Returns the shifts of the logits, `[classes]`; `None` when the bias is unchanged.
    pub fn shifts(&self) -> Option<&[f64]> {
        match self {
            Self::Done(shifts) => Some(shifts),
            Self::NotAsked | Self::LeftOut(_) => None,
        }
    }

    /// Returns why a requested re-balancing was left out.
    pub fn left_out(&self) -> Option<&LeftOut> {
        match self {
            Self::LeftOut(reason) => Some(reason),
            Self::NotAsked | Self::Done(_) => None,
        }
    }
}

/// Why the last bias was not re-balanced. The quantized model is complete without re-balancing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOut {
    /// No bias can shift the logits class by class.
    #[error(transparent)]
    NoBias(#[from] NoLastBias),
    /// The solver reached its iteration limit before the class masses were met.
    #[error("the class masses are still off by a chi-square of {chi_square:e} ({stop})")]
    Unbalanced {
        /// Mean square of the relative errors of the masses, weighted by the masses.
        chi_square: f64,
        /// Why the solver stopped.
        stop: String,
    },
    /// The solver refused the logits.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The shifts would lower the top-1 agreement with the float model.
    #[error(
        "the top-1 agreement with the float model would fall from {before} to {after} of {images} calibration images"
    )]
    Agreement {
        /// Images with the top-1 class of the float model, without the shifts.
        before: usize,
        /// Images with the top-1 class of the float model, with the shifts.
        after: usize,
        /// Number of calibration images.
        images: usize,
    },
}
