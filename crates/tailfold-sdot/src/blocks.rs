//! Blocks of scores for a walk over the sample, read from a matrix or made from features and weights.

use std::borrow::Cow;
use std::ops::Range;

use nalgebra::{DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use crate::Scores;
use crate::scores::Values;

/// Rows whose scores are in memory at a time, a shard.
pub(crate) const BLOCK: usize = 256;

/// Scores, ready to be read block by block.
pub(crate) enum Blocks<'a> {
    Matrix {
        values: Cow<'a, [f32]>,
        classes: usize,
    },
    Product(Product<'a>),
}

/// `scale <w_j, z_i>`, with what its matrix product needs.
pub(crate) struct Product<'a> {
    features: &'a [f32],
    /// `[C, dim]`, column-major. A row-major view would do but for nalgebra 0.35's product, which reads and writes out of
    /// bounds when its left factor has a row stride and a dimension is below 6.
    weights: Vec<f32>,
    classes: usize,
    dim: usize,
    scale: f32,
}

impl<'a> Blocks<'a> {
    /// Blocks of `scores`; a product of at most `keep` scores is made once, here.
    pub(crate) fn new(scores: &Scores<'a>, keep: usize) -> Self {
        let (rows, classes) = (scores.rows(), scores.num_classes());
        match scores.values {
            Values::Matrix(values) => Self::Matrix {
                values: Cow::Borrowed(values),
                classes,
            },
            Values::Product {
                features,
                weights,
                dim,
                scale,
            } => {
                let transposed = (0..dim)
                    .flat_map(|k| weights[k..].iter().step_by(dim))
                    .copied()
                    .collect();
                let product = Product {
                    features,
                    weights: transposed,
                    classes,
                    dim,
                    scale,
                };
                if rows.saturating_mul(classes) > keep {
                    return Self::Product(product);
                }
                let mut values = vec![0.0; rows * classes];
                let blocks = values
                    .par_chunks_mut(BLOCK * classes)
                    .zip(features.par_chunks(BLOCK * dim));
                blocks.for_each(|(out, features)| product.multiply(features, out));
                Self::Matrix {
                    values: Cow::Owned(values),
                    classes,
                }
            }
        }
    }

    /// Scores of `rows`, `[rows, C]` row-major; `buffer` holds them when they have to be made.
    pub(crate) fn read<'b>(&'b self, rows: Range<usize>, buffer: &'b mut Vec<f32>) -> &'b [f32] {
        match self {
            Self::Matrix { values, classes } => &values[rows.start * classes..rows.end * classes],
            Self::Product(product) => {
                buffer.resize(rows.len() * product.classes, 0.0);
                product.multiply(
                    &product.features[rows.start * product.dim..rows.end * product.dim],
                    buffer,
                );
                buffer
            }
        }
    }
}

impl Product<'_> {
    /// Scores of some rows of `features`, `[rows, dim]`, into `out`, `[rows, C]`, both row-major.
    fn multiply(&self, features: &[f32], out: &mut [f32]) {
        let rows = features.len() / self.dim;
        // Row-major is the transpose of nalgebra's column-major: S^T = W Z^T.
        let weights = DMatrixView::from_slice(&self.weights, self.classes, self.dim);
        let features = DMatrixView::from_slice(features, self.dim, rows);
        DMatrixViewMut::from_slice(out, self.classes, rows)
            .gemm(self.scale, &weights, &features, 0.0);
    }
}
