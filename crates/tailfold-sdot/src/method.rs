//! Which solver, and the rule that chooses one.

use crate::{SolveError, SolveErrorKind};

/// Most classes of [`Method::Newton`]: its sums of `classes^2` values for each of 16 stretches of the sample hold 32 MiB then.
pub const MAX_NEWTON_CLASSES: usize = 512;

/// Classes up to which a factored Hessian is the faster one,
const SMALL: usize = 128;
/// in a sample of fewer rows than this: larger ones are begun with a part of their rows, whose curvature conjugate gradients
/// need less of.
const FEW_ROWS: usize = 8192;

/// How the offsets are looked for. All of them end with corrections of the hard cells, and by the same measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// By size: [`Newton`](Self::Newton) up to 128 classes and below 8,192 samples, else [`NewtonCg`](Self::NewtonCg).
    #[default]
    Auto,
    /// Damped Newton steps on the entropic energy at falling temperatures; the Hessian `[C, C]` is factored. A warm start is first
    /// corrected as by [`NewtonCg`](Self::NewtonCg).
    Newton,
    /// The same with steps by conjugate gradients: the Hessian is known by its products with the probabilities that are
    /// large enough to keep. Memory grows with the sample and the classes, not with their product nor with `C^2`.
    NewtonCg,
    /// Averaged stochastic gradient at a falling temperature over batches of the sample, then corrections of the hard cells
    /// with the curvature of [`NewtonCg`](Self::NewtonCg). Soft masses, and a warm start, are left to that alone.
    Averaged,
}

impl Method {
    /// The method for a sample of `rows` and `classes`; never [`Auto`](Self::Auto).
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
