//! Packing of weights for the direct kernel, which multiplies windows by weights without a transform.

mod bytes;
mod ending;
mod run;

use super::filters::Filters;
use super::{Epilogue, Weights};
use crate::frame::Frame;
use crate::lanes::{Form, LANES, Pairs, Quads};
use crate::shape::Window;
use bytes::ByteWeights;
pub(crate) use bytes::{Narrow, lowest};
pub(crate) use run::{Image, Run};

/// The packed weights of one group, which has all filters that read the same channels.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    /// Offset of each run of a window from the window's first code.
    taps: Vec<usize>,
    /// Pairs or quads of codes in a run.
    steps: usize,
    /// `[blocks, taps, steps, 16, 2 or 4]`.
    weights: Packed,
    filters: usize,
    /// First output channel.
    first: usize,
    epilogue: Epilogue,
}

/// Packed weights, stored as bytes where all of them fit, because the kernel then reads half as much memory.
#[derive(Clone, Debug)]
enum Packed {
    /// Weights that fit into bytes and are multiplied in 16-bit pairs.
    Bytes(Vec<i8>),
    /// Weights that need 16 bits, because a weight minus its zero point is the difference of two bytes.
    Words(Vec<i16>),
    /// Weights that are multiplied as bytes.
    Quads(ByteWeights),
}

impl Packed {
    /// Packs weights for multiplication in pairs. `places` has the index, within one filter, of each packed weight.
    fn pairs(filters: &Filters<'_>, places: &[Option<usize>]) -> Self {
        if filters.are_bytes() {
            #[expect(clippy::cast_possible_truncation, reason = "they are bytes")]
            Self::Bytes(filters.packed(places, Pairs::DEPTH, |w| w as i8))
        } else {
            Self::Words(filters.packed(places, Pairs::DEPTH, |w| w))
        }
    }
}

impl Direct {
    /// Packs group `group` of `weights` for windows over `input`. `quads` is the smallest code of the input for a
    /// kernel that multiplies bytes.
    pub(crate) fn pack(
        weights: Weights<'_>,
        group: usize,
        window: &Window,
        input: &Frame,
        epilogue: Epilogue,
        quads: Option<i16>,
    ) -> Self {
        let [rows, columns] = window.kernel;
        let pitch = input.pitch();
        let channels = input.channels / weights.groups;
        let filters = weights.filters / weights.groups;
        // Taps of a row that lie side by side are one run. It includes the padding channels, whose weights are zero.
        let joined = weights.groups == 1 && window.dilation[1] == 1;
        let (runs, inside) = if joined { (1, columns) } else { (columns, 1) };
        let run = if joined { columns * pitch } else { channels };
        let depth = quads.map_or(Pairs::DEPTH, |_| Quads::DEPTH);
        let steps = run.div_ceil(depth);
        let mut taps = Vec::new();
        let mut places = Vec::new();
        for row in 0..rows {
            for column in 0..runs {
                taps.push(
                    row * window.dilation[0] * input.row()
                        + column * window.dilation[1] * pitch
                        + group * channels,
                );
                places.extend((0..depth * steps).map(|code| {
                    let (inner, channel) = if joined {
                        (code / pitch, code % pitch)
                    } else {
                        (0, code)
                    };
                    let column = column * inside + inner;
                    (channel < channels && column < columns)
                        .then(|| (channel * rows + row) * columns + column)
                }));
            }
        }
        let per_filter = channels * rows * columns;
        let of_group = group * filters * per_filter;
        let group_filters = Filters {
            codes: &weights.codes[of_group..][..filters * per_filter],
            per_filter,
        };
        Self {
            taps,
            steps,
            weights: match quads {
                Some(low) => Packed::Quads(ByteWeights::new(&group_filters, &places, low)),
                None => Packed::pairs(&group_filters, &places),
            },
            filters,
            first: group * filters,
            epilogue,
        }
    }
}

impl Direct {
    /// Number of weights in a block of sixteen filters.
    fn block<F: Form>(&self) -> usize {
        self.taps.len() * self.steps * F::DEPTH * LANES
    }

    /// Number of codes in the scratch memory of a run.
    pub(crate) fn scratch(&self) -> usize {
        match self.weights {
            Packed::Bytes(_) => self.block::<Pairs>(),
            Packed::Words(_) | Packed::Quads(_) => 0,
        }
    }
}
