//! Percentile observer: the range without a share of outliers.

use super::Range;
use crate::affine::{Scheme, to_f32};
use crate::histogram::Line;

/// Returns the range of the central `percent` of the values, rounded outwards to the edge of a bin: half of
/// the remaining values lie beyond each end, or all of them beyond the single end of a symmetric range.
pub(super) fn central(line: &Line, percent: f64, scheme: Scheme) -> Range {
    let total: u64 = line.counts.iter().sum();
    let rest = total as f64 * (1.0 - percent / 100.0);
    let (below, above) = match scheme {
        Scheme::Affine => (rest / 2.0, rest / 2.0),
        Scheme::Symmetric => (0.0, rest),
    };
    let first = skipped(line.counts.iter(), below);
    let last = line.counts.len() - skipped(line.counts.iter().rev(), above);
    Range {
        low: to_f32(line.edge(first)),
        high: to_f32(line.edge(last.max(first))),
    }
}

/// Returns the largest number of outermost bins that together hold at most `outside` values.
fn skipped<'a>(counts: impl Iterator<Item = &'a u64>, outside: f64) -> usize {
    let mut sum = 0.0;
    counts
        .take_while(|&&n| {
            sum += n as f64;
            sum <= outside
        })
        .count()
}
