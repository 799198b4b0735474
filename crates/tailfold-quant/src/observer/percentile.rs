//! The range of all but a share of outliers.

use super::Range;
use crate::affine::{Scheme, to_f32};
use crate::histogram::Line;

/// The range that holds the central `percent` of the values, outwards to the next edge of a bin: half of the rest lies
/// beyond each end, or all of it beyond the one end of symmetric codes.
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

/// How many bins from the outside hold at most `outside` values together.
fn skipped<'a>(counts: impl Iterator<Item = &'a u64>, outside: f64) -> usize {
    let mut sum = 0.0;
    counts
        .take_while(|&&n| {
            sum += n as f64;
            sum <= outside
        })
        .count()
}
