//! Levels of the sample, from a few rows to all rows: the first steps need only a few rows to find the direction.

/// Smallest number of rows per class on the coarsest level.
const ROWS_A_CLASS: usize = 4;
/// Smallest number of rows on the coarsest level.
const MIN_ROWS: usize = 2048;
/// Ratio of the numbers of rows of consecutive levels.
const FINER: usize = 4;
/// Chi-square that a level leaves, as a fraction of its sampling error.
const LEAVES: f64 = 0.25;

/// Returns the row stride of each level, falling to 1.
pub(crate) fn strides(rows: usize, classes: usize) -> Vec<usize> {
    let least = classes.saturating_mul(ROWS_A_CLASS).max(MIN_ROWS);
    let mut strides: Vec<usize> = std::iter::successors(Some(1), |stride| Some(stride * FINER))
        .take_while(|&stride| stride == 1 || rows / stride >= least)
        .collect();
    strides.reverse();
    strides
}

/// Returns the chi-square that is good enough for a level of `rows`. Even the exact solution of a level differs from
/// the solution of all rows by the sampling error, a chi-square of `classes / rows` on average.
pub(crate) fn tolerance(rows: usize, classes: usize) -> f64 {
    LEAVES * classes as f64 / rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_end_with_all_rows() {
        assert_eq!(strides(10_000, 10), [4, 1]);
        assert_eq!(strides(4_096, 10), [1]);
        assert_eq!(strides(437_513, 8_142), [4, 1]);
        assert_eq!(strides(100_000, 1_000), [16, 4, 1]);
        assert_eq!(strides(3, 1_000_000), [1]);
    }
}
