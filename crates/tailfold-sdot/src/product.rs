//! Scores as a matrix product, a few rows at a time.

use gemm::Parallelism;

/// The scores `scale <w_j, z_i>`, with the operands of the matrix product.
pub(crate) struct Product<'a> {
    /// `[n, dim]`, row-major.
    features: &'a [f32],
    /// Class weights `[C, dim]`, column-major: the order in which the product packs them.
    weights: Vec<f32>,
    dim: usize,
    scale: f32,
}

impl<'a> Product<'a> {
    /// Prepares the scores of `features` `[n, dim]` for `weights` `[C, dim]`, both row-major.
    pub(crate) fn new(features: &'a [f32], weights: &[f32], dim: usize, scale: f32) -> Self {
        let transposed = (0..dim)
            .flat_map(|k| weights[k..].iter().step_by(dim))
            .copied()
            .collect();
        Self {
            features,
            weights: transposed,
            dim,
            scale,
        }
    }

    pub(crate) fn classes(&self) -> usize {
        self.weights.len() / self.dim
    }

    /// Writes the scores `[rows, C]`, row-major, of every `stride`-th row of the features from row `start` on to `out`.
    ///
    /// The product uses one thread: a pass has its own threads, and sums from several threads would depend on their
    /// number.
    pub(crate) fn multiply(&self, start: usize, stride: usize, out: &mut [f32]) {
        let (classes, dim) = (self.classes(), self.dim);
        let rows = out.len() / classes;
        let Some(last) = rows.checked_sub(1) else {
            return;
        };
        let features = &self.features[start * dim..(start + last * stride + 1) * dim];
        let step = |stride: usize| isize::try_from(stride).unwrap_or(isize::MAX);
        // Row-major is the transpose of column-major: S^T [C, rows] = W [C, dim] Z^T [dim, rows].
        #[expect(unsafe_code, reason = "the product takes pointers")]
        // SAFETY: `out` has classes * rows values, `weights` classes * dim, and `features` dim values at each of the
        // `rows` strides: the lengths of the slices above, which panic where they do not fit. `out` is borrowed
        // exclusively.
        unsafe {
            gemm::gemm(
                classes,
                rows,
                dim,
                out.as_mut_ptr(),
                step(classes),
                1,
                false,
                self.weights.as_ptr(),
                step(classes),
                1,
                features.as_ptr(),
                step(dim * stride),
                1,
                0.0,
                self.scale,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}
