//! Progress of a solve.

/// One pass over the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracePoint {
    /// Number of rows of the sample visited so far.
    pub rows: u64,
    /// Temperature of the pass, in score units; 0 for a pass that computes only hard cells.
    pub epsilon: f64,
    /// Chi-square of the hard cells' masses, over the rows of the level.
    pub chi_square: f64,
}
