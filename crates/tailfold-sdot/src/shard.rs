//! A part of a pass over the sample.

use std::ops::Range;

use crate::graph::KeptRows;

/// Sums over consecutive rows, and the buffers to compute them.
#[derive(Default)]
pub(crate) struct Shard {
    pub(crate) rows: Range<usize>,
    pub(crate) scores: Vec<f32>,
    /// One row of `s + h`.
    pub(crate) shifted: Vec<f64>,
    /// Rows of softmax numerators or probabilities.
    pub(crate) soft_rows: Vec<f32>,
    pub(crate) energy: f64,
    /// Soft masses `[C]`.
    pub(crate) soft: Vec<f64>,
    /// Hard masses `[C]`.
    pub(crate) hard: Vec<f64>,
    /// `[C, C]`, only below the diagonal of a column-major matrix; empty until a Hessian is needed.
    pub(crate) pairs: Vec<f64>,
    /// A panel of [`pairs`](Self::pairs) for one block.
    pub(crate) panel: Vec<f32>,
    /// The kept probabilities.
    pub(crate) kept: KeptRows,
}
