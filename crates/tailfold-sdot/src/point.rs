//! A point of the entropic energy.

use crate::graph::Kept;

/// Offsets and the entropic energy there, with its derivatives.
#[derive(Debug)]
pub(crate) struct SoftPoint {
    /// Offsets `[C]`, sum 0.
    pub(crate) offsets: Vec<f64>,
    /// Mean probabilities, `[C]`.
    pub(crate) soft: Vec<f64>,
    /// `soft - target`, `[C]`.
    pub(crate) gradient: Vec<f64>,
    pub(crate) energy: f64,
    /// Chi-square of the soft masses.
    pub(crate) chi_square: f64,
    /// Chi-square of the hard cells.
    pub(crate) hard_chi_square: f64,
    pub(crate) epsilon: f64,
    /// The probabilities for the curvature, if the method uses them.
    pub(crate) kept: Option<Kept>,
}
