//! What became of the re-balancing of the last bias.

use tailfold_sdot::SolveError;

/// What the last bias got.
#[derive(Clone, Debug, PartialEq)]
pub enum Rebalanced {
    /// Nothing: it was not asked for.
    NotAsked,
    /// These shifts of the logits, `[classes]`, sum 0, each at most the root mean square error that quantization makes in that
    /// logit on the calibration images.
    Done(Vec<f64>),
    /// Nothing, for this reason.
    LeftOut(LeftOut),
}

impl Rebalanced {
    /// The shifts of the logits, `[classes]`; `None` when there are none.
    pub fn shifts(&self) -> Option<&[f64]> {
        match self {
            Self::Done(shifts) => Some(shifts),
            Self::NotAsked | Self::LeftOut(_) => None,
        }
    }

    /// Why there are no shifts, when they were asked for.
    pub fn left_out(&self) -> Option<&LeftOut> {
        match self {
            Self::LeftOut(reason) => Some(reason),
            Self::NotAsked | Self::Done(_) => None,
        }
    }
}

/// Why the last bias was not re-balanced; the quantized model is whole without it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOut {
    /// No bias shifts the logits class by class.
    #[error("node `{node}` ({operator}) stands between the last bias and the logits")]
    NoBias {
        /// Name of the first node, from the output, that hands no shift on, or of a layer without a usable bias.
        node: String,
        /// Its operator.
        operator: String,
    },
    /// The solver ended early.
    #[error("the class masses are still off by a chi-square of {chi_square:e} ({stop})")]
    Unbalanced {
        /// Mean square of the masses' relative errors, weighted by the masses.
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
        /// Images that are decided as in float without the shifts.
        before: usize,
        /// The same with the shifts.
        after: usize,
        /// Calibration images.
        images: usize,
    },
}
