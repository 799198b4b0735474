//! A point of the entropic energy.

use crate::graph::Kept;

/// Offsets and what the entropic energy is there.
#[derive(Debug)]
pub(crate) struct SoftPoint {
    /// `[C]`, sum 0.
    pub(crate) offsets: Vec<f64>,
    /// Mean probabilities, `[C]`.
    pub(crate) soft: Vec<f64>,
    /// `soft - target`, `[C]`.
    pub(crate) gradient: Vec<f64>,
    pub(crate) energy: f64,
    /// Of the soft masses.
    pub(crate) chi_square: f64,
    /// Of the hard cells.
    pub(crate) hard_chi_square: f64,
    pub(crate) epsilon: f64,
    /// The probabilities behind the curvature, when the method wants them.
    pub(crate) kept: Option<Kept>,
}
