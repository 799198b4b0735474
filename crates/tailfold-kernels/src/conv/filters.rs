//! Conversion of weights from one filter after the other, as in a file, to sixteen filters side by side.

use crate::lanes::{LANES, ORDER};

/// The weights of several filters, one filter after the other.
pub(super) struct Filters<'a> {
    pub(super) codes: &'a [i16],
    pub(super) per_filter: usize,
}

impl Filters<'_> {
    /// Number of blocks of sixteen filters.
    pub(super) fn blocks(&self) -> usize {
        self.codes.len().div_ceil(self.per_filter * LANES)
    }

    /// Whether every weight fits into a byte.
    pub(super) fn are_bytes(&self) -> bool {
        self.codes.iter().all(|&w| i8::try_from(w).is_ok())
    }

    /// Packs the weights at `places`, which are indices within a filter, as `[blocks, places / depth, 16, depth]`.
    ///
    /// A place of `None` and the lanes behind the last filter become zero. The number of places is a multiple of
    /// `depth`.
    pub(super) fn packed<T: Copy + Default>(
        &self,
        places: &[Option<usize>],
        depth: usize,
        code: impl Fn(i16) -> T,
    ) -> Vec<T> {
        let mut packed = vec![T::default(); self.blocks() * places.len() * LANES];
        let blocks = packed.chunks_exact_mut((places.len() * LANES).max(1));
        for (block, filters) in blocks.zip(self.codes.chunks(LANES * self.per_filter)) {
            for (lane, channel) in ORDER.into_iter().enumerate() {
                let filter = filters.chunks_exact(self.per_filter).nth(channel);
                let Some(filter) = filter else { continue };
                let steps = block.chunks_exact_mut(depth * LANES);
                for (step, places) in steps.zip(places.chunks_exact(depth)) {
                    let lane = &mut step[depth * lane..][..depth];
                    for (to, place) in lane.iter_mut().zip(places) {
                        *to = place.map_or(T::default(), |place| code(filter[place]));
                    }
                }
            }
        }
        packed
    }

    /// The weights of `block`, `[weights per filter, 16]`, in the order of the lanes. Lanes behind the last filter are
    /// zero.
    pub(super) fn across(&self, block: usize) -> Vec<[i16; LANES]> {
        let mut lanes = vec![[0; LANES]; self.per_filter];
        let filters = &self.codes[block * LANES * self.per_filter..];
        for (lane, channel) in ORDER.into_iter().enumerate() {
            if let Some(filter) = filters.chunks_exact(self.per_filter).nth(channel) {
                for (to, &code) in lanes.iter_mut().zip(filter) {
                    to[lane] = code;
                }
            }
        }
        lanes
    }
}
