//! Codes as bytes, for units that multiply four of them at a time.
//!
//! A code `c` within `low..=high` becomes the byte `c + shift`, and `shift` is the unit's smallest byte less `low`. Every
//! sum is then too large by `shift` times the filter's weights, which is where it starts from, with the other sign. Zeros
//! of the border are codes as all others.
#![expect(
    unsafe_code,
    reason = "vectors are read and written through pointers whose bounds are checked once an image"
)]

use crate::conv::Weights;
use crate::conv::filters::Filters;
use crate::lanes::{Form, LANES, Lanes, Quads, Task};

/// The smallest code of an input, where its codes and all weights are bytes.
pub(crate) fn lowest(weights: Weights<'_>, [low, high]: [i16; 2]) -> Option<i16> {
    // The border has zeros.
    let (low, high) = (low.min(0), high.max(0));
    let bytes = i32::from(high) - i32::from(low) <= 255
        && weights.codes.iter().all(|&w| i8::try_from(w).is_ok());
    bytes.then_some(low)
}

/// Weights of one group, and what shifted codes make of them.
#[derive(Clone, Debug)]
pub(super) struct ByteWeights {
    /// `[blocks, taps, quads, 16, 4]`.
    pub(super) weights: Vec<i8>,
    /// Of each filter, in the lanes' order.
    sums: Vec<[i32; LANES]>,
    /// The smallest code.
    low: i16,
}

impl ByteWeights {
    /// Of `filters`, whose weights are bytes; `places` says, for one filter, which weight each packed code is.
    pub(super) fn new(filters: &Filters<'_>, places: &[Option<usize>], low: i16) -> Self {
        let sums = |block| {
            let mut sums = [0; LANES];
            for lanes in filters.across(block) {
                for (sum, weight) in sums.iter_mut().zip(lanes) {
                    *sum += i32::from(weight);
                }
            }
            sums
        };
        #[expect(clippy::cast_possible_truncation, reason = "they are bytes")]
        Self {
            weights: filters.packed(places, Quads::DEPTH, |w| w as i8),
            sums: (0..filters.blocks()).map(sums).collect(),
            low,
        }
    }

    /// Where the sums of a block start from.
    #[inline(always)]
    pub(super) fn start<L: Lanes>(&self, block: usize) -> [i32; LANES] {
        let shift = i32::from(L::LEAST_BYTE) - i32::from(self.low);
        self.sums[block].map(|sum| sum.wrapping_mul(-shift))
    }
}

/// Makes bytes of an image's codes, of which `low` is the smallest.
pub(crate) struct Narrow<'a> {
    pub(crate) x: &'a [i16],
    pub(crate) low: i16,
    /// As many.
    pub(crate) bytes: &'a mut [i8],
}

impl Task for Narrow<'_> {
    /// What lies in fill-up channels and behind the image may be no code; its weights are zero, whatever its byte.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { x, low, bytes } = self;
        let shift = L::codes([L::LEAST_BYTE - low; LANES]);
        assert!(LANES <= x.len() && x.len() <= bytes.len());
        for at in (0..x.len()).step_by(LANES) {
            // The last vector ends where the image does.
            let at = at.min(x.len() - LANES);
            // SAFETY: sixteen codes from `at` on are in both.
            unsafe {
                let codes = L::add_codes(L::load_codes(x.as_ptr().add(at)), shift);
                L::store_bytes(codes, bytes.as_mut_ptr().add(at));
            }
        }
    }
}
