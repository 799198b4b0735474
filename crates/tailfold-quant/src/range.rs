//! The range of a tensor's values.

use tailfold_tract::{Loop, vectorized};

/// Smallest and largest value of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub low: f32,
    /// Largest value.
    pub high: f32,
}

/// Number of values that are compared in parallel.
const LANES: usize = 32;

impl Range {
    /// Range of no values: joining it with another range gives that range.
    pub(crate) const NOTHING: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
    };

    /// Returns the range of `values`; `None` when a value is NaN or infinite.
    pub(crate) fn of(values: &[f32]) -> Option<Self> {
        vectorized(Scan(values))
    }

    /// Returns the largest magnitude in the range; 0 for [`Range::NOTHING`].
    pub(crate) fn magnitude(self) -> f32 {
        self.high.max(-self.low).max(0.0)
    }

    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Returns the intersection with `other`.
    pub(crate) fn within(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }

    /// Returns the smallest range that contains this one and is symmetric about 0.
    pub(crate) fn symmetric(self) -> Self {
        let high = self.high.max(-self.low);
        Self { low: -high, high }
    }
}

/// Computes the range of values.
struct Scan<'a>(&'a [f32]);

impl Loop for Scan<'_> {
    type Output = Option<Range>;

    #[inline(always)]
    fn run(self) -> Option<Range> {
        // Independent lanes, comparisons that ignore NaN, and no early exit let the compiler emit vector
        // instructions.
        let mut lows = [f32::INFINITY; LANES];
        let mut highs = [f32::NEG_INFINITY; LANES];
        // A lane stays 0 until it meets a value that is NaN or infinite.
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
