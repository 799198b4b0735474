//! The range of a tensor's values.

use tailfold_tract::{Loop, vectorized};

/// Ends of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest.
    pub low: f32,
    /// Largest.
    pub high: f32,
}

/// Numbers looked at side by side.
const LANES: usize = 32;

impl Range {
    /// Of no value: joined with any range, it is that range.
    pub(crate) const NOTHING: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
    };

    /// From the smallest of `values` to the largest; `None` when one is infinite or no number.
    pub(crate) fn of(values: &[f32]) -> Option<Self> {
        vectorized(Scan(values))
    }

    /// The largest magnitude in it; 0 of nothing.
    pub(crate) fn magnitude(self) -> f32 {
        self.high.max(-self.low).max(0.0)
    }

    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The part of it that is inside of `other`.
    pub(crate) fn within(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }

    /// The same on both sides of 0.
    pub(crate) fn symmetric(self) -> Self {
        let high = self.high.max(-self.low);
        Self { low: -high, high }
    }
}

/// From the smallest of values to the largest.
struct Scan<'a>(&'a [f32]);

impl Loop for Scan<'_> {
    type Output = Option<Range>;

    #[inline(always)]
    fn run(self) -> Option<Range> {
        // Lanes side by side, compared without regard to NaN and without an early end: so they become vectors.
        let mut lows = [f32::INFINITY; LANES];
        let mut highs = [f32::NEG_INFINITY; LANES];
        // Stay 0, but after a value that is infinite or no number.
        let mut zeros = [0.0_f32; LANES];
        let (chunks, rest) = self.0.as_chunks::<LANES>();
        for chunk in chunks {
            for i in 0..LANES {
                lows[i] = if chunk[i] < lows[i] {
                    chunk[i]
                } else {
                    lows[i]
                };
                highs[i] = if chunk[i] > highs[i] {
                    chunk[i]
                } else {
                    highs[i]
                };
                zeros[i] += chunk[i] * 0.0;
            }
        }
        for &value in rest {
            lows[0] = lows[0].min(value);
            highs[0] = highs[0].max(value);
            zeros[0] += value * 0.0;
        }
        let ends = lows.into_iter().zip(highs);
        let ends = ends.map(|(low, high)| Range { low, high });
        let range = ends.fold(Range::NOTHING, Range::join);
        zeros.iter().all(|zero| zero.is_finite()).then_some(range)
    }
}
