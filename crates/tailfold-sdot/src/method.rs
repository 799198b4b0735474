//! The choice of the solver.

use crate::{SolveError, SolveErrorKind};

/// Largest number of classes of [`Method::Newton`]: 16 shards of `classes^2` sums then need 32 MiB.
pub const MAX_NEWTON_CLASSES: usize = 512;

/// Number of classes up to which a factored Hessian is faster, in a sample of fewer than [`FEW_ROWS`] rows.
const SMALL: usize = 128;
/// Number of rows from which [`Method::NewtonCg`] is always selected: such a solve starts on a part of the rows, and
/// conjugate gradients need less of their curvature.
const FEW_ROWS: usize = 8192;

/// The method of finding the offsets. Each method ends with corrections of the hard cells and meets the same limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Selects by size: [`Newton`](Self::Newton) up to 128 classes and below 8,192 samples, else
    /// [`NewtonCg`](Self::NewtonCg).
    #[default]
    Auto,
    /// Damped Newton steps on the entropic energy at falling temperatures, with a factored Hessian `[C, C]`. A warm
    /// start is first corrected as in [`NewtonCg`](Self::NewtonCg).
    Newton,
    /// The same steps by conjugate gradients: products with the kept large probabilities replace the Hessian. Memory
    /// grows with the sample and with the classes, but not with their product or with `C^2`.
    NewtonCg,
    /// Averaged stochastic gradient at a falling temperature over batches of the sample, then corrections of the hard
    /// cells with the curvature of [`NewtonCg`](Self::NewtonCg). Soft masses and warm starts use
    /// [`NewtonCg`](Self::NewtonCg) alone.
    Averaged,
}

impl Method {
    /// Returns the method for a sample of `rows` and `classes`; never [`Auto`](Self::Auto).
    pub(crate) fn resolved(self, rows: usize, classes: usize) -> Result<Self, SolveError> {
        match self {
            Self::Auto if classes <= SMALL && rows < FEW_ROWS => Ok(Self::Newton),
            Self::Auto => Ok(Self::NewtonCg),
            Self::Newton if classes > MAX_NEWTON_CLASSES => Err(SolveErrorKind::TooManyClasses
                .error(format!(
                    "{classes} classes are more than the method `newton` takes \
                     ({MAX_NEWTON_CLASSES}): its matrices hold classes x classes values. \
                     `newton-cg` has no limit"
                ))),
            other => Ok(other),
        }
    }
}
