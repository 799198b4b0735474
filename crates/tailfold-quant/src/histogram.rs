//! Counts of values in bins whose range doubles, in bounded memory and in any order.

/// Bins on each side of zero: fine against 256 codes even just after a doubling, small against the activations.
const BINS: usize = 4096;

/// `BINS` is two to this power.
const BINS_LOG2: i32 = 12;

/// Exponent of the narrowest bins: with them, all values below the smallest normal f32 are in range.
const FINEST: i32 = -126 - BINS_LOG2;

/// Counts of values by sign and magnitude. A bin is `2^exponent` wide and bins begin at 0, so that doubling the range adds
/// neighbours in pairs exactly: whatever the order of values, growths and merges, the counts are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Histogram {
    exponent: i32,
    /// `[BINS]`, or empty before the first value that is not negative.
    positive: Vec<u64>,
    /// The same of negative values, by magnitude.
    negative: Vec<u64>,
}

/// Counts along a line: bin `i` holds values from `(i - zero) * width` to `(i + 1 - zero) * width`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Neither end is 0, unless all are.
    pub(crate) counts: Vec<u64>,
    /// Number of bins below 0.
    pub(crate) zero: usize,
    /// Width of a bin, positive.
    pub(crate) width: f64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            exponent: FINEST,
            positive: Vec::new(),
            negative: Vec::new(),
        }
    }

    /// Counts `values`, which are finite.
    pub(crate) fn add(&mut self, values: &[f32]) {
        let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        self.widen(needed(largest));
        let per_width = f64::from(-self.exponent).exp2();
        for &value in values {
            let side = if value < 0.0 {
                &mut self.negative
            } else {
                &mut self.positive
            };
            if side.is_empty() {
                *side = vec![0; BINS];
            }
            side[bin(f64::from(value.abs()) * per_width)] += 1;
        }
    }

    /// The counts of both.
    pub(crate) fn merge(mut self, mut other: Self) -> Self {
        self.widen(other.exponent);
        other.widen(self.exponent);
        for (a, b) in [
            (&mut self.positive, other.positive),
            (&mut self.negative, other.negative),
        ] {
            if a.is_empty() {
                *a = b;
            } else {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            }
        }
        self
    }

    /// Doubles the range until a bin is at least `2^exponent` wide.
    fn widen(&mut self, exponent: i32) {
        let doublings = u32::try_from(exponent - self.exponent).unwrap_or(0);
        if doublings == 0 {
            return;
        }
        self.exponent = exponent;
        for side in [&mut self.positive, &mut self.negative] {
            for i in 1..side.len() {
                let count = std::mem::take(&mut side[i]);
                side[i.checked_shr(doublings).unwrap_or(0)] += count;
            }
        }
    }

    /// The counts from the lowest value to the highest.
    pub(crate) fn line(&self) -> Line {
        let (below, above) = (occupied(&self.negative), occupied(&self.positive));
        Line {
            counts: below.iter().rev().chain(above).copied().collect(),
            zero: below.len(),
            width: f64::from(self.exponent).exp2(),
        }
    }

    /// The counts of magnitudes, from 0 to the largest.
    pub(crate) fn magnitudes(&self) -> Line {
        let (mut longer, mut shorter) = (occupied(&self.negative), occupied(&self.positive));
        if longer.len() < shorter.len() {
            std::mem::swap(&mut longer, &mut shorter);
        }
        let mut counts = longer.to_vec();
        counts.iter_mut().zip(shorter).for_each(|(a, b)| *a += b);
        Line {
            counts,
            zero: 0,
            width: f64::from(self.exponent).exp2(),
        }
    }
}

impl Line {
    /// Lower end of bin `i`; of the line's end, for `i` equal to its length.
    pub(crate) fn edge(&self, i: usize) -> f64 {
        (i as f64 - self.zero as f64) * self.width
    }

    /// The values that bins stand for, their centres, with how often they were seen; empty bins are left out.
    pub(crate) fn centres(&self) -> impl Iterator<Item = (f64, f64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        counted.map(|(i, &n)| ((i as f64 + 0.5 - self.zero as f64) * self.width, n as f64))
    }

    /// The same line in at most `most` bins a side, neighbours added in pairs.
    pub(crate) fn coarser(&self, most: usize) -> Self {
        let longest = self.zero.max(self.counts.len() - self.zero);
        let factor = longest.div_ceil(most.max(1)).next_power_of_two();
        let (below, above) = self.counts.split_at(self.zero);
        let below: Vec<u64> = below.rchunks(factor).map(|c| c.iter().sum()).collect();
        let above = above.chunks(factor).map(|c| c.iter().sum());
        Self {
            zero: below.len(),
            counts: below.into_iter().rev().chain(above).collect(),
            width: self.width * factor as f64,
        }
    }
}

/// Exponent of the narrowest bins that reach beyond `magnitude`.
fn needed(magnitude: f32) -> i32 {
    // The biased exponent of an f32; `magnitude < 2^(biased - 126)` holds for subnormal numbers as well.
    let biased = i32::from((magnitude.to_bits() >> 23) as u16 & 0xFF);
    (biased - 126 - BINS_LOG2).max(FINEST)
}

/// Without the empty bins of the largest magnitudes.
fn occupied(side: &[u64]) -> &[u64] {
    let end = side.iter().rposition(|&n| n > 0).map_or(0, |last| last + 1);
    &side[..end]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a magnitude, clamped to the bins"
)]
fn bin(magnitude: f64) -> usize {
    (magnitude as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests;
