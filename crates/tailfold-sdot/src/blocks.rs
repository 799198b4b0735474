//! Blocks of scores for a pass over the sample, read from a matrix or computed from features and weights.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use crate::Scores;
use crate::product::Product;
use crate::scores::Values;

/// Approximate number of scores in a block: half a MiB, which fits in the L2 cache.
const BLOCK_SCORES: usize = 1 << 17;

/// Largest number of shards of a pass, and so of threads.
pub(crate) const MAX_SHARDS: usize = 16;

/// Number of rows whose scores a shard has in memory at a time. A product with fewer than 64 rows packs its weights too
/// often.
pub(crate) fn block_rows(classes: usize) -> usize {
    (BLOCK_SCORES / classes).clamp(64, 256)
}

/// The scores of every `stride`-th row, which are read block by block.
pub(crate) enum Blocks<'a> {
    Matrix {
        values: Cow<'a, [f32]>,
        classes: usize,
        stride: usize,
    },
    Product {
        product: Product<'a>,
        stride: usize,
    },
}

impl<'a> Blocks<'a> {
    /// Blocks of every `stride`-th row of `scores`, from the first; a product of at most `keep` scores is computed
    /// once, here.
    pub(crate) fn new(scores: &Scores<'a>, stride: usize, keep: usize) -> Self {
        let classes = scores.num_classes();
        match scores.values {
            Values::Matrix(values) => Self::Matrix {
                values: Cow::Borrowed(values),
                classes,
                stride,
            },
            Values::Product {
                features,
                weights,
                dim,
                scale,
            } => {
                let product = Product::new(features, weights, dim, scale);
                let rows = scores.rows().div_ceil(stride);
                if rows.saturating_mul(classes) > keep {
                    return Self::Product { product, stride };
                }
                let mut values = vec![0.0; rows * classes];
                let height = block_rows(classes);
                values
                    .par_chunks_mut(height * classes)
                    .enumerate()
                    .for_each(|(block, out)| {
                        product.multiply(block * height * stride, stride, out)
                    });
                Self::Matrix {
                    values: Cow::Owned(values),
                    classes,
                    stride: 1,
                }
            }
        }
    }

    /// Returns the scores of `rows`, `[rows, C]` row-major; `buffer` stores them when they have to be computed.
    pub(crate) fn read<'b>(&'b self, rows: Range<usize>, buffer: &'b mut Vec<f32>) -> &'b [f32] {
        match self {
            Self::Matrix {
                values,
                classes,
                stride: 1,
            } => &values[rows.start * classes..rows.end * classes],
            Self::Matrix {
                values,
                classes,
                stride,
            } => {
                buffer.clear();
                for row in rows {
                    let start = row * stride * classes;
                    buffer.extend_from_slice(&values[start..start + classes]);
                }
                buffer
            }
            Self::Product { product, stride } => {
                buffer.resize(rows.len() * product.classes(), 0.0);
                product.multiply(rows.start * stride, *stride, buffer);
                buffer
            }
        }
    }
}
