//! The scores `[n, C]`, as a given matrix or as a product computed block by block.

use crate::{SolveError, SolveErrorKind};

/// Scores `s_j(z_i)` of `n` samples for `C` classes, row-major; borrowed, never copied as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    rows: usize,
    classes: usize,
    pub(crate) values: Values<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a> {
    Matrix(&'a [f32]),
    Product {
        features: &'a [f32],
        weights: &'a [f32],
        dim: usize,
        scale: f32,
    },
}

impl<'a> Scores<'a> {
    /// Scores from a matrix: `values` is `[n, num_classes]`, row-major.
    ///
    /// # Errors
    /// [`SolveError`] when there is no class or no row, when `values` is not whole rows, or when a score is NaN or
    /// infinite, naming its row and class.
    pub fn matrix(values: &'a [f32], num_classes: usize) -> Result<Self, SolveError> {
        if num_classes == 0 {
            return Err(SolveErrorKind::Empty.error("there are no classes"));
        }
        let rows = whole_rows("scores", values, num_classes)?;
        if rows == 0 {
            return Err(SolveErrorKind::Empty.error("the sample is empty"));
        }
        match not_finite(values, num_classes) {
            Some((row, class, value)) => Err(SolveErrorKind::NotFinite
                .error(format!("score of row {row}, class {class} is {value}"))),
            None => Ok(Self {
                rows,
                classes: num_classes,
                values: Values::Matrix(values),
            }),
        }
    }

    /// Scores `scale <w_j, z_i>` of `features` `[n, dim]` and `weights` `[C, dim]`, both row-major.
    ///
    /// Nothing is normalized: a cosine classifier needs unit vectors.
    ///
    /// # Errors
    /// [`SolveError`] when a matrix is empty or not whole rows, when a value is NaN or infinite (naming the row or the
    /// class), or when the norms are so large that a score may leave the range of `f32`.
    pub fn product(
        features: &'a [f32],
        weights: &'a [f32],
        dim: usize,
        scale: f32,
    ) -> Result<Self, SolveError> {
        if dim == 0 {
            return Err(SolveErrorKind::Empty.error("features must have at least one column"));
        }
        let classes = whole_rows("weights", weights, dim)?;
        let rows = whole_rows("features", features, dim)?;
        if classes == 0 {
            return Err(SolveErrorKind::Empty.error("there are no classes"));
        }
        if rows == 0 {
            return Err(SolveErrorKind::Empty.error("the sample is empty"));
        }
        if !scale.is_finite() {
            return Err(
                SolveErrorKind::NotFinite.error(format!("the scale of the scores is {scale}"))
            );
        }
        if let Some((class, column, value)) = not_finite(weights, dim) {
            return Err(SolveErrorKind::NotFinite
                .error(format!("weight {column} of class {class} is {value}")));
        }
        if let Some((row, column, value)) = not_finite(features, dim) {
            return Err(SolveErrorKind::NotFinite
                .error(format!("feature {column} of row {row} is {value}")));
        }
        // Cauchy-Schwarz bounds every partial sum of a product; half of the range is left for rounding.
        let (row, feature_norm) = largest_norm(features, dim);
        let (class, weight_norm) = largest_norm(weights, dim);
        let bound = feature_norm * weight_norm * f64::from(scale.abs()).max(1.0);
        if bound > f64::from(f32::MAX) / 2.0 {
            return Err(SolveErrorKind::NotFinite.error(format!(
                "the scores can overflow: the largest feature vector is row {row}, the largest \
                 weight vector class {class}"
            )));
        }
        Ok(Self {
            rows,
            classes,
            values: Values::Product {
                features,
                weights,
                dim,
                scale,
            },
        })
    }

    /// Returns the scores from row `rows` on.
    pub(crate) fn skip(self, rows: usize) -> Self {
        let values = match self.values {
            Values::Matrix(values) => Values::Matrix(&values[rows * self.classes..]),
            Values::Product {
                features,
                weights,
                dim,
                scale,
            } => Values::Product {
                features: &features[rows * dim..],
                weights,
                dim,
                scale,
            },
        };
        Self {
            rows: self.rows - rows,
            classes: self.classes,
            values,
        }
    }

    /// Number of samples, `n`.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of classes, `C`.
    pub fn num_classes(&self) -> usize {
        self.classes
    }
}

/// Returns the number of rows of `row` values in `values`, which the error calls `name`.
pub(crate) fn whole_rows(name: &str, values: &[f32], row: usize) -> Result<usize, SolveError> {
    if values.len().is_multiple_of(row) {
        Ok(values.len() / row)
    } else {
        Err(SolveErrorKind::Length.error(format!(
            "{name} have {found} values, not whole rows of {row}",
            found = values.len()
        )))
    }
}

/// Returns the row, column and value of the first number that is not finite.
pub(crate) fn not_finite(values: &[f32], row: usize) -> Option<(usize, usize, f32)> {
    let at = values.iter().position(|v| !v.is_finite())?;
    Some((at / row, at % row, values[at]))
}

fn largest_norm(values: &[f32], dim: usize) -> (usize, f64) {
    let norms = values
        .chunks_exact(dim)
        .map(|v| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>());
    let (at, square) = norms.enumerate().fold(
        (0, 0.0),
        |best, next| if next.1 > best.1 { next } else { best },
    );
    (at, square.sqrt())
}

#[cfg(test)]
mod tests;
