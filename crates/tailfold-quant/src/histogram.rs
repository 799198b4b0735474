//! Counts of values in bins whose range doubles, in bounded memory and in any order.

use tailfold_tract::{Loop, vectorized};

/// Bins on each side of zero: fine against 256 codes even just after a doubling, small against the activations.
const BINS: usize = 4096;

/// `BINS` is two to this power.
const BINS_LOG2: i32 = 12;

/// Exponent of the narrowest bins: with them, all values below the smallest normal f32 are in range.
const FINEST: i32 = -126 - BINS_LOG2;

/// Zeros, which a ReLU makes most of, are counted in as many places in turn: a processor that adds to a place it has just
/// added to waits for itself.
const ZEROS: usize = 16;

/// Values whose places are computed before they are counted.
const CHUNK: usize = 64;

/// Counts of values by sign and magnitude. A bin is `2^exponent` wide and bins begin at 0, so that doubling the range adds
/// neighbours in pairs exactly: whatever the order of values, growths and merges, the counts are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Histogram {
    exponent: i32,
    /// `[BINS]` of values that are not negative, `[BINS]` of negative ones by magnitude, and `[ZEROS]` that are 0 between
    /// calls; or empty before the first value.
    counts: Vec<u64>,
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
            counts: Vec::new(),
        }
    }

    /// Counts `values`, which are finite; none has a magnitude above `largest`.
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

    /// Exponent and counts, `[2 * BINS]`: of values that are not negative, and of negative ones, by magnitude.
    pub(crate) fn to_parts(&self) -> (i32, Vec<u64>) {
        let mut counts = self.counts.clone();
        counts.resize(2 * BINS, 0);
        (self.exponent, counts)
    }

    /// From what [`Histogram::to_parts`] gives; `None` for another number of counts, or bins too fine.
    pub(crate) fn from_parts(exponent: i64, counts: &[u64]) -> Option<Self> {
        let exponent = i32::try_from(exponent).ok().filter(|e| *e >= FINEST)?;
        (counts.len() == 2 * BINS).then(|| {
            let mut counts = counts.to_vec();
            counts.resize(2 * BINS + ZEROS, 0);
            Self { exponent, counts }
        })
    }

    /// The counts of both.
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

    /// Counts by magnitude of negative values, and of others, without the empty bins of the largest magnitudes.
    fn sides(&self) -> (&[u64], &[u64]) {
        let (above, below) = self.counts.split_at(BINS.min(self.counts.len()));
        (occupied(&below[..BINS.min(below.len())]), occupied(above))
    }

    /// The counts from the lowest value to the highest.
    pub(crate) fn line(&self) -> Line {
        let (below, above) = self.sides();
        Line {
            counts: below.iter().rev().chain(above).copied().collect(),
            zero: below.len(),
            width: f64::from(self.exponent).exp2(),
        }
    }

    /// The counts of magnitudes, from 0 to the largest.
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
        // A power of two, so products are exact, save those far below the width of a bin. Two factors, because the finest
        // bins' is beyond f32.
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

/// Where each value is counted; computed before they are counted, in vectors.
#[expect(clippy::cast_possible_truncation, reason = "small constants")]
#[inline(always)]
fn places(values: &[f32; CHUNK], [first, second]: [f32; 2]) -> [u32; CHUNK] {
    const NEGATIVE: u32 = BINS as u32;
    const LAST: f32 = (BINS - 1) as f32;
    // From here to its double the numbers of f32 are the whole ones: adding it rounds, and its low bits then count. A
    // conversion would do it value by value.
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
