//! The Hessian of the entropic energy: the Laplacian of a graph whose edges connect classes that share samples.
//!
//! The row sums of `diag(E p) - E[p p^T]` are zero because the probabilities of a sample sum to 1. Therefore only the
//! products `E[p_j p_k]`, `j != k`, are accumulated, and the diagonal is their sum: nothing cancels when the cells are
//! nearly hard.

use nalgebra::{Cholesky, DMatrix, DMatrixView, DMatrixViewMut, DVector, Dyn};

use crate::pass::Sample;
use crate::row::narrow;
use crate::shard::Shard;
use crate::visit::{EdgeBlock, edge_block};

/// A probability below this fraction of its class's mean probability makes no edge. A class loses at most this fraction
/// of its mass.
const NEGLIGIBLE: f64 = 1e-4;
/// Number of columns of a block's product that are computed at a time; the part above the diagonal's panel is not
/// computed.
const PANEL: usize = 128;
/// Number of multiply-adds of a matrix product in the time of one scattered addition.
const PRODUCT_SPEED: usize = 8;
/// Ridges to try, relative to the diagonal: each is a hundred times the one before.
const RIDGES: [f64; 7] = [1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0, 1e2];

/// `epsilon` times the Hessian, factored with one class held fixed.
pub(crate) struct Hessian {
    factor: Cholesky<f64, Dyn>,
    fixed: usize,
    epsilon: f64,
}

impl Hessian {
    /// Builds the Hessian from its [`edges`] where the soft masses are `soft`; `None` when no ridge makes it positive
    /// definite.
    pub(crate) fn new(edges: DMatrix<f64>, soft: &[f64], epsilon: f64) -> Option<Self> {
        let mut laplacian = edges;
        let classes = soft.len();
        for j in 0..classes {
            let left: f64 = laplacian.view((j, 0), (1, j)).sum();
            let below: f64 = laplacian.view((j + 1, j), (classes - j - 1, 1)).sum();
            laplacian[(j, j)] = left + below;
        }
        let degree = laplacian.diagonal();
        // The null space contains the constants, so the best connected class is held fixed.
        let fixed = degree.imax();
        laplacian.neg_mut();
        RIDGES.iter().find_map(|ridge| {
            let mut matrix = laplacian.clone();
            for j in 0..classes {
                // The term with the mass gives curvature to a class without any edge.
                matrix[(j, j)] = degree[j] + ridge * (degree[j] + soft[j]) + f64::MIN_POSITIVE;
            }
            matrix.row_mut(fixed).fill(0.0);
            matrix.column_mut(fixed).fill(0.0);
            matrix[(fixed, fixed)] = 1.0;
            Some(Self {
                factor: Cholesky::new(matrix)?,
                fixed,
                epsilon,
            })
        })
    }

    /// Returns the Newton step `-H^-1 residual`, `[C]`, with sum 0; `None` when it is not finite.
    pub(crate) fn step(&self, residual: &[f64]) -> Option<Vec<f64>> {
        let mut step =
            DVector::from_iterator(residual.len(), residual.iter().map(|r| -self.epsilon * r));
        step[self.fixed] = 0.0;
        self.factor.solve_mut(&mut step);
        let mut step: Vec<f64> = step.iter().copied().collect();
        centre(&mut step);
        step.iter().all(|d| d.is_finite()).then_some(step)
    }
}

/// Shifts `offsets` to sum 0.
pub(crate) fn centre(offsets: &mut [f64]) {
    let parts = 1.0 / offsets.len() as f64;
    let mean: f64 = offsets.iter().map(|h| h * parts).sum();
    offsets.iter_mut().for_each(|h| *h -= mean);
}

/// Returns `E[p_j p_k]` below the diagonal.
pub(crate) fn edges(
    sample: &mut Sample<'_>,
    offsets: &[f64],
    soft: &[f64],
    epsilon: f64,
) -> DMatrix<f64> {
    let classes = offsets.len();
    let floor: Vec<f32> = soft.iter().map(|mass| narrow(NEGLIGIBLE * mass)).collect();
    for shard in sample.shards() {
        shard.pairs.clear();
        shard.pairs.resize(classes * classes, 0.0);
    }
    sample.walk(|shard, weights, rows, block| {
        shard.soft_rows.resize(block.len(), 0.0);
        let pairs = edge_block(EdgeBlock {
            shard,
            weights,
            first: rows.start,
            block,
            offsets,
            epsilon,
            floor: &floor,
        });
        if pairs * PRODUCT_SPEED < block.len() * classes {
            add_sparse(shard, classes, block.len());
        } else {
            add_dense(shard, classes, block.len());
        }
    });
    let mut total = DMatrix::zeros(classes, classes);
    for shard in sample.shards() {
        total
            .as_mut_slice()
            .iter_mut()
            .zip(&shard.pairs)
            .for_each(|(sum, part)| *sum += part);
    }
    total
}

/// Adds the products of a block's rows, one pair of kept classes at a time.
fn add_sparse(shard: &mut Shard, classes: usize, len: usize) {
    let mut kept: Vec<(usize, f64)> = Vec::with_capacity(classes);
    for p in shard.soft_rows[..len].chunks_exact(classes) {
        kept.clear();
        kept.extend(
            p.iter()
                .enumerate()
                .filter(|(_, p)| **p > 0.0)
                .map(|(class, &p)| (class, f64::from(p))),
        );
        for (at, &(j, p)) in kept.iter().enumerate() {
            let column = &mut shard.pairs[j * classes..(j + 1) * classes];
            for &(k, q) in &kept[at + 1..] {
                column[k] += p * q;
            }
        }
    }
}

/// Adds the products of a block's rows as a matrix product `P P^T`, panel by panel.
fn add_dense(shard: &mut Shard, classes: usize, len: usize) {
    let p = DMatrixView::from_slice(&shard.soft_rows[..len], classes, len / classes);
    for start in (0..classes).step_by(PANEL) {
        let (width, height) = (PANEL.min(classes - start), classes - start);
        shard.panel.resize(width * height, 0.0);
        let mut panel = DMatrixViewMut::from_slice(&mut shard.panel, height, width);
        // The transposed view of the same rows, by its strides.
        let (rows, by_row, by_class) = (Dyn(len / classes), Dyn(classes), Dyn(1));
        let transposed = &shard.soft_rows[start..len];
        let right = DMatrixView::from_slice_with_strides_generic(
            transposed,
            rows,
            Dyn(width),
            by_row,
            by_class,
        );
        panel.gemm(1.0, &p.rows(start, height), &right, 0.0);
        for (at, column) in shard.panel.chunks_exact(height).enumerate() {
            let j = start + at;
            let below = &mut shard.pairs[j * classes + j + 1..(j + 1) * classes];
            below
                .iter_mut()
                .zip(&column[at + 1..])
                .for_each(|(sum, &product)| *sum += f64::from(product));
        }
    }
}

#[cfg(test)]
mod tests;
