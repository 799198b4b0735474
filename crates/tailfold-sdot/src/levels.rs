//! From a few rows of the sample to all of them: where a few say which way to go, the others need not be asked.

/// Rows a class that the coarsest level has at least.
const ROWS_A_CLASS: usize = 4;
/// Rows that the coarsest level has at least.
const MIN_ROWS: usize = 2048;
/// How much finer a level is than the one before.
const FINER: usize = 4;
/// Part of the next sample's chance deviation that a level leaves.
const LEAVES: f64 = 0.25;

/// Every how many rows each level takes, falling to 1.
pub(crate) fn strides(rows: usize, classes: usize) -> Vec<usize> {
    let least = classes.saturating_mul(ROWS_A_CLASS).max(MIN_ROWS);
    let mut strides: Vec<usize> = std::iter::successors(Some(1), |stride| Some(stride * FINER))
        .take_while(|&stride| stride == 1 || rows / stride >= least)
        .collect();
    strides.reverse();
    strides
}

/// Chi-square that is good enough for a level of `rows`: its solution is as far from that of all rows as chance has it,
/// `classes / rows` in the mean, whatever is done.
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
