//! From observed values to ranges: everything seen, or all but a share of outliers.

use std::fmt;
use std::str::FromStr;

use crate::calibrate::Range;
use crate::error::QuantError;

/// How a range is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ObserverKind {
    /// Smallest and largest value seen.
    #[default]
    MinMax,
    /// The central share of all values, in percent: `Percentile(99.99)` leaves 0.005 % out at each end.
    Percentile(f64),
}

impl fmt::Display for ObserverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinMax => f.write_str("minmax"),
            Self::Percentile(p) => write!(f, "percentile:{p}"),
        }
    }
}

impl FromStr for ObserverKind {
    type Err = QuantError;

    fn from_str(text: &str) -> Result<Self, QuantError> {
        if text == "minmax" {
            return Ok(Self::MinMax);
        }
        text.strip_prefix("percentile:")
            .and_then(|p| p.parse().ok())
            .filter(|p| *p > 50.0 && *p <= 100.0)
            .map(Self::Percentile)
            .ok_or_else(|| QuantError::Observer(text.to_owned()))
    }
}

/// Bins of a histogram: fine against the 256 codes, small against the activations.
const BINS: usize = 4096;

/// Counts of values between the ends of a range; merging two is exact, so the order of images does not matter.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    range: Range,
    counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn new(range: Range) -> Self {
        Self {
            range,
            counts: vec![0; BINS],
        }
    }

    pub(crate) fn add(&mut self, values: &[f32]) {
        let width = self.range.high - self.range.low;
        for value in values {
            let share = if width > 0.0 {
                (value - self.range.low) / width
            } else {
                0.0
            };
            self.counts[bin(share)] += 1;
        }
    }

    pub(crate) fn merge(mut self, other: &Self) -> Self {
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(a, b)| *a += b);
        self
    }

    /// The range that holds the central `percent` of the values, to a bin.
    pub(crate) fn central(&self, percent: f64) -> Range {
        let total: u64 = self.counts.iter().sum();
        let outside = total as f64 * (1.0 - percent / 100.0) / 2.0;
        let skipped = |counts: &mut dyn Iterator<Item = &u64>| {
            let mut sum = 0.0;
            counts
                .take_while(|&&n| {
                    sum += n as f64;
                    sum <= outside
                })
                .count()
        };
        let first = skipped(&mut self.counts.iter());
        let last = BINS - skipped(&mut self.counts.iter().rev());
        let step = (self.range.high - self.range.low) / BINS as f32;
        if first >= last {
            return self.range;
        }
        Range {
            low: self.range.low + step * first as f32,
            high: self.range.low + step * last as f32,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bins"
)]
fn bin(share: f32) -> usize {
    (share * BINS as f32).clamp(0.0, (BINS - 1) as f32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_nonsense_is_refused() {
        for kind in [ObserverKind::MinMax, ObserverKind::Percentile(99.99)] {
            assert_eq!(kind.to_string().parse::<ObserverKind>().unwrap(), kind);
        }
        for bad in [
            "",
            "max",
            "percentile:",
            "percentile:101",
            "percentile:NaN",
            "percentile:50",
        ] {
            assert!(bad.parse::<ObserverKind>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_percentile_leaves_the_outliers_out() {
        let mut values: Vec<f32> = (0..10_000_u16).map(|i| f32::from(i) / 10_000.0).collect();
        values.push(100.0);
        let range = Range {
            low: 0.0,
            high: 100.0,
        };
        let mut histogram = Histogram::new(range);
        histogram.add(&values);
        assert!(histogram.central(99.9).high < 1.1);
        assert_eq!(histogram.central(100.0), range);
        let doubled = histogram.clone().merge(&histogram);
        assert_eq!(doubled.central(99.9), histogram.central(99.9));
    }
}
