//! Histograms whose range doubles as needed, in bounded memory and independent of the order of values.

use tailfold_tract::{Loop, vectorized};

/// Bins on each side of zero: a fine resolution for 256 steps even just after a doubling, and little memory compared
/// with the activations.
const BINS: usize = 4096;

/// Exponent of 2 that gives `BINS`.
const BINS_LOG2: i32 = 12;

/// Exponent of the narrowest bins, whose range covers all values below the smallest normal f32.
const FINEST: i32 = -126 - BINS_LOG2;

/// Number of counters for zeros, which are used in rotation. A ReLU produces mostly zeros, and a processor
/// stalls when it increments the counter that it has just incremented.
const ZEROS: usize = 16;

/// Number of values whose bins are computed before they are counted.
const CHUNK: usize = 64;

/// Counts of values by sign and magnitude. A bin is `2^exponent` wide and bins begin at 0, so doubling the
/// range adds neighbouring bins exactly: the counts do not depend on the order of values, doublings and
/// merges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Histogram {
    exponent: i32,
    /// `[BINS]` counts of non-negative values, `[BINS]` counts of negative values by magnitude, and `[ZEROS]`
    /// counters that are 0 between calls. Empty before the first value.
    counts: Vec<u64>,
}

/// Counts from the lowest to the highest value: bin `i` holds values from `(i - zero) * width` to
/// `(i + 1 - zero) * width`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Counts of the bins; the first and the last are above 0, unless all are 0.
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
            counts: Vec::new(),
        }
    }

    /// Counts `values`, which must be finite, with magnitudes up to `largest`.
    pub(crate) fn add(&mut self, values: &[f32], largest: f32) {
        self.widen(needed(largest));
        self.counts.resize(2 * BINS + ZEROS, 0);
        vectorized(Count {
            counts: &mut self.counts,
            values,
            exponent: self.exponent,
        });
        let (bins, zeros) = self.counts.split_at_mut(2 * BINS);
        bins[0] += zeros.iter_mut().map(std::mem::take).sum::<u64>();
    }

    /// Returns the exponent and the counts `[2 * BINS]`: non-negative values, then negative values, by
    /// magnitude.
    pub(crate) fn to_parts(&self) -> (i32, Vec<u64>) {
        let mut counts = self.counts.clone();
        counts.resize(2 * BINS, 0);
        (self.exponent, counts)
    }

    /// Restores a histogram from the result of [`Histogram::to_parts`]; `None` for a wrong number of counts,
    /// or bins that are too narrow.
    pub(crate) fn from_parts(exponent: i64, counts: &[u64]) -> Option<Self> {
        let exponent = i32::try_from(exponent).ok().filter(|e| *e >= FINEST)?;
        (counts.len() == 2 * BINS).then(|| {
            let mut counts = counts.to_vec();
            counts.resize(2 * BINS + ZEROS, 0);
            Self { exponent, counts }
        })
    }

    /// Returns the sum of both histograms.
    pub(crate) fn merge(mut self, mut other: Self) -> Self {
        self.widen(other.exponent);
        other.widen(self.exponent);
        if self.counts.is_empty() {
            return other;
        }
        let counts = self.counts.iter_mut();
        counts.zip(other.counts).for_each(|(a, b)| *a += b);
        self
    }

    /// Doubles the range until a bin is at least `2^exponent` wide.
    fn widen(&mut self, exponent: i32) {
        let doublings = u32::try_from(exponent - self.exponent).unwrap_or(0);
        if doublings == 0 {
            return;
        }
        self.exponent = exponent;
        for side in self.counts.chunks_exact_mut(BINS) {
            for i in 1..BINS {
                let count = std::mem::take(&mut side[i]);
                side[i.checked_shr(doublings).unwrap_or(0)] += count;
            }
        }
    }

    /// Returns the counts of negative and of non-negative values by magnitude, without the empty bins of the
    /// largest magnitudes.
    fn sides(&self) -> (&[u64], &[u64]) {
        let (above, below) = self.counts.split_at(BINS.min(self.counts.len()));
        (occupied(&below[..BINS.min(below.len())]), occupied(above))
    }

    /// Returns the counts from the lowest value to the highest.
    pub(crate) fn line(&self) -> Line {
        let (below, above) = self.sides();
        Line {
            counts: below.iter().rev().chain(above).copied().collect(),
            zero: below.len(),
            width: f64::from(self.exponent).exp2(),
        }
    }

    /// Returns the counts of magnitudes, from 0 to the largest.
    pub(crate) fn magnitudes(&self) -> Line {
        let (mut longer, mut shorter) = self.sides();
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
    /// Returns the lower end of bin `i`; for `i` equal to the number of bins, the end of the line.
    pub(crate) fn edge(&self, i: usize) -> f64 {
        (i as f64 - self.zero as f64) * self.width
    }

    /// Returns the centre and the count of each bin that is not empty.
    pub(crate) fn centres(&self) -> impl Iterator<Item = (f64, f64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        counted.map(|(i, &n)| ((i as f64 + 0.5 - self.zero as f64) * self.width, n as f64))
    }

    /// Adds neighbouring bins, a power of two at a time, until each side has at most `most` bins.
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

/// Returns the exponent of the narrowest bins whose range exceeds `magnitude`.
fn needed(magnitude: f32) -> i32 {
    // The biased exponent of an f32; `magnitude < 2^(biased - 126)` holds for subnormal numbers as well.
    let biased = i32::from((magnitude.to_bits() >> 23) as u16 & 0xFF);
    (biased - 126 - BINS_LOG2).max(FINEST)
}

/// Returns `side` without the empty bins of the largest magnitudes.
fn occupied(side: &[u64]) -> &[u64] {
    let end = side.iter().rposition(|&n| n > 0).map_or(0, |last| last + 1);
    &side[..end]
}

/// Adds `values` to `counts` of bins that are `2^exponent` wide.
struct Count<'a> {
    counts: &'a mut [u64],
    values: &'a [f32],
    exponent: i32,
}

impl Loop for Count<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // Products with a power of two are exact, except products far below the width of a bin. Two factors
        // are needed, because the factor of the narrowest bins exceeds the range of f32.
        let first = (-self.exponent).min(127);
        let factors = [first, -self.exponent - first].map(|e| 2.0_f32.powi(e));
        let mut add = |places: &[u32]| {
            for &place in places {
                if let Some(count) = self.counts.get_mut(place as usize) {
                    *count += 1;
                }
            }
        };
        let (chunks, rest) = self.values.as_chunks::<CHUNK>();
        for chunk in chunks {
            add(&places(chunk, factors));
        }
        let mut last = [0.0; CHUNK];
        last[..rest.len()].copy_from_slice(rest);
        add(&places(&last, factors)[..rest.len()]);
    }
}

/// Returns the index of the counter of each value, computed with vector instructions.
#[expect(clippy::cast_possible_truncation, reason = "small constants")]
#[inline(always)]
fn places(values: &[f32; CHUNK], [first, second]: [f32; 2]) -> [u32; CHUNK] {
    const NEGATIVE: u32 = BINS as u32;
    const LAST: f32 = (BINS - 1) as f32;
    // The f32 values from this number to twice it are exactly the integers: adding it rounds to an integer,
    // which the low mantissa bits then hold. A conversion would process one value at a time.
    const WHOLE: f32 = 8_388_608.0;
    const OF_ZERO: [u32; CHUNK] = {
        let mut places = [0; CHUNK];
        let mut i = 0;
        while i < CHUNK {
            places[i] = (2 * BINS + i % ZEROS) as u32;
            i += 1;
        }
        places
    };
    let mut places = [0; CHUNK];
    for i in 0..CHUNK {
        let bins = (values[i].abs() * first * second).min(LAST);
        let nearest = bins + WHOLE - WHOLE;
        let bin = (if nearest > bins {
            nearest - 1.0
        } else {
            nearest
        } + WHOLE)
            .to_bits()
            & (BINS as u32 - 1);
        let place = bin | if values[i] < 0.0 { NEGATIVE } else { 0 };
        places[i] = if place == 0 { OF_ZERO[i] } else { place };
    }
    places
}

#[cfg(test)]
mod tests;
