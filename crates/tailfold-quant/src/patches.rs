//! A sample of a layer's inputs, and its moments.

use nalgebra::DMatrix;

use crate::windows::{PARTS, Taken, Windows};

/// Largest number of inputs of a layer whose second moments form a single matrix. Memory and time grow with
/// the square of the inputs: the 25,088 inputs of VGG's first Gemm would take 5 GB and an hour.
const WIDE: usize = 8192;

/// Inputs per block of a wider layer; correlations between blocks are neglected.
const BLOCK: usize = 1024;

/// A sample of one layer's inputs in the quantized network, and their mean error against the float network.
#[derive(Clone, Debug)]
pub(crate) struct Patches {
    pub(crate) windows: Windows,
    codes: Vec<u8>,
    /// `[groups, dim]`: mean of the float values minus mean of the quantized values.
    lost: Vec<f64>,
}

/// Means of the inputs of one group, `[dim]` each.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    quantized: Vec<f64>,
    float: Vec<f64>,
}

impl Patches {
    /// Joins the windows of all images, in their order.
    pub(crate) fn join(windows: Windows, images: impl IntoIterator<Item = Taken>) -> Self {
        let mut codes = Vec::new();
        let mut lost = vec![0_i64; windows.groups * windows.dim];
        for taken in images {
            codes.extend(taken.codes);
            lost.iter_mut()
                .zip(taken.lost)
                .for_each(|(sum, l)| *sum += l);
        }
        let count = codes.len() / lost.len().max(1);
        let step = f64::from(windows.params.scale) / PARTS / count.max(1) as f64;
        Self {
            lost: lost.iter().map(|&l| l as f64 * step).collect(),
            codes,
            windows,
        }
    }

    /// Returns the inputs of group `group`, `[dim, windows]`.
    fn values(&self, group: usize) -> DMatrix<f64> {
        let Windows { dim, groups, .. } = self.windows;
        let rows = self.codes.chunks_exact((dim * groups).max(1));
        let count = rows.len();
        let bytes = rows.flat_map(|row| &row[group * dim..][..dim]);
        // The matrix is filled column by column; a column is a window.
        DMatrix::from_iterator(dim, count, bytes.map(|&b| self.windows.value(b)))
    }

    /// Returns the second moments of the inputs of group `group` in the quantized network: one block
    /// `[dim, dim]`, or the blocks along the diagonal for a layer with more than [`WIDE`] inputs.
    pub(crate) fn second_moments(&self, group: usize) -> Vec<DMatrix<f64>> {
        blocks(self.values(group))
    }

    /// Returns the second central moments, which remain when a bias absorbs the mean error.
    pub(crate) fn covariance(&self, group: usize) -> Vec<DMatrix<f64>> {
        let mut values = self.values(group);
        let mean = values.column_mean();
        values
            .column_iter_mut()
            .for_each(|mut window| window -= &mean);
        blocks(values)
    }

    /// Returns the means of the inputs of group `group`.
    pub(crate) fn means(&self, group: usize) -> Means {
        let quantized: Vec<f64> = self.values(group).column_mean().iter().copied().collect();
        let dim = self.windows.dim;
        let lost = &self.lost[group * dim..][..dim];
        Means {
            float: quantized.iter().zip(lost).map(|(m, l)| m + l).collect(),
            quantized,
        }
    }
}

/// Returns the second moments of the rows of `values` `[dim, windows]`.
fn blocks(values: DMatrix<f64>) -> Vec<DMatrix<f64>> {
    let count = values.ncols().max(1) as f64;
    let moments = |values: DMatrix<f64>| &values * values.transpose() / count;
    let dim = values.nrows();
    if dim <= WIDE {
        return vec![moments(values)];
    }
    let starts = (0..dim).step_by(BLOCK);
    let parts = starts.map(|start| values.rows(start, BLOCK.min(dim - start)).into_owned());
    parts.map(moments).collect()
}

impl Means {
    /// Returns the mean sum with the weights `float` `[dim]` in the float network, minus the mean sum with
    /// the weights `quantized` in the quantized network.
    pub(crate) fn error(&self, float: &[f32], quantized: &[f32]) -> f64 {
        let dot = |weights: &[f32], mean: &[f64]| -> f64 {
            weights
                .iter()
                .zip(mean)
                .map(|(&w, m)| f64::from(w) * m)
                .sum()
        };
        dot(float, &self.float) - dot(quantized, &self.quantized)
    }
}

#[cfg(test)]
mod tests;
