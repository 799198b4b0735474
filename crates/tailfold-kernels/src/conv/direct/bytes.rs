//! Codes as bytes, for instruction sets that multiply four bytes per lane.
//!
//! A code `c` within `low..=high` becomes the byte `c + shift`, where `shift` is the instruction set's smallest byte
//! minus `low`. Every sum is then too large by `shift` times the sum of the filter's weights, so it starts from the
//! negative of that product. Zeros of the border are shifted like all other codes.
#![expect(
    unsafe_code,
    reason = "vectors are read and written through pointers whose bounds are checked once per image"
)]

use crate::conv::Weights;
use crate::conv::filters::Filters;
use crate::lanes::{Form, LANES, Lanes, Quads, Task};

/// The smallest code of an input if its codes and all weights fit into bytes, otherwise `None`.
pub(crate) fn lowest(weights: Weights<'_>, [low, high]: [i16; 2]) -> Option<i16> {
    // The border has zeros.
    let (low, high) = (low.min(0), high.max(0));
    let bytes = i32::from(high) - i32::from(low) <= 255
        && weights.codes.iter().all(|&w| i8::try_from(w).is_ok());
    bytes.then_some(low)
}

/// Weights of one group as bytes, and the values needed to correct for the shift of the codes.
#[derive(Clone, Debug)]
pub(super) struct ByteWeights {
    /// `[blocks, taps, quads, 16, 4]`.
    pub(super) weights: Vec<i8>,
    /// The sum of each filter's weights, in the order of the lanes.
    sums: Vec<[i32; LANES]>,
    /// The smallest code of the input.
    low: i16,
}

impl ByteWeights {
    /// Packs `filters`, whose weights fit into bytes. `places` has the index, within one filter, of each packed weight.
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

    /// The start values of a block's sums, which correct for the shift of the codes.
    #[inline(always)]
    pub(super) fn start<L: Lanes>(&self, block: usize) -> [i32; LANES] {
        let shift = i32::from(L::LEAST_BYTE) - i32::from(self.low);
        self.sums[block].map(|sum| sum.wrapping_mul(-shift))
    }
}

/// Converts an image's codes to bytes.
pub(crate) struct Narrow<'a> {
    pub(crate) x: &'a [i16],
    /// The smallest code.
    pub(crate) low: i16,
    /// Receives as many bytes as `x` has codes.
    pub(crate) bytes: &'a mut [i8],
}

impl Task for Narrow<'_> {
    /// Padding channels and memory behind the image may hold invalid codes. They do not matter, because their weights
    /// are zero.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { x, low, bytes } = self;
        let shift = L::codes([L::LEAST_BYTE - low; LANES]);
        assert!(LANES <= x.len() && x.len() <= bytes.len());
        for at in (0..x.len()).step_by(LANES) {
            // The last vector begins early enough to end with the image.
            let at = at.min(x.len() - LANES);
            // SAFETY: both slices have sixteen elements from `at` on.
            unsafe {
                let codes = L::add_codes(L::load_codes(x.as_ptr().add(at)), shift);
                L::store_bytes(codes, bytes.as_mut_ptr().add(at));
            }
        }
    }
}
