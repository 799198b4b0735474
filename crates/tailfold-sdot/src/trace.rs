//! Progress of a solve.

/// One walk over the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracePoint {
    /// Rows of the sample that were walked over by then.
    pub rows: u64,
    /// Temperature of the walk, in score units; 0 when it looked at hard cells alone.
    pub epsilon: f64,
    /// Of the hard cells' masses, over the rows of the level.
    pub chi_square: f64,
}
