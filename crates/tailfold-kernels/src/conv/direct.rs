//! Windows times weights, as they are: the packing.

mod run;

use super::filters::Filters;
use super::{Epilogue, Weights};
use crate::frame::Frame;
use crate::lanes::LANES;
use crate::shape::Window;
pub(crate) use run::Run;
pub use run::Sink;

/// The packed weights of one group: all filters that read the same channels.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    /// Where the runs of a window begin, from its first code on.
    taps: Vec<usize>,
    /// Pairs of codes in a run.
    pairs: usize,
    /// `[blocks, taps, pairs, 16, 2]`.
    weights: Packed,
    filters: usize,
    /// First output channel.
    first: usize,
    epilogue: Epilogue,
}

/// Packed weights: as bytes where all of them are, which halves what is read from memory.
#[derive(Clone, Debug)]
enum Packed {
    Bytes(Vec<i8>),
    /// With a zero point of their own, weights are differences of two bytes.
    Words(Vec<i16>),
}

impl Packed {
    /// `places` says, for one filter, which weight each packed code is.
    fn new(filters: &Filters<'_>, places: &[Option<usize>]) -> Self {
        let bytes = filters.codes.iter().all(|&w| i8::try_from(w).is_ok());
        if bytes {
            #[expect(clippy::cast_possible_truncation, reason = "seen above")]
            Self::Bytes(filters.packed(places, |w| w as i8))
        } else {
            Self::Words(filters.packed(places, |w| w))
        }
    }
}

impl Direct {
    /// Packs group `group` of `weights` for windows over `input`.
    pub(crate) fn pack(
        weights: Weights<'_>,
        group: usize,
        window: &Window,
        input: &Frame,
        epilogue: Epilogue,
    ) -> Self {
        let [rows, columns] = window.kernel;
        let pitch = input.pitch();
        let channels = input.channels / weights.groups;
        let filters = weights.filters / weights.groups;
        // Taps of a row that lie side by side are one run, fill-up channels included, whose weights are zero.
        let joined = weights.groups == 1 && window.dilation[1] == 1;
        let (runs, inside) = if joined { (1, columns) } else { (columns, 1) };
        let run = if joined { columns * pitch } else { channels };
        let pairs = run.div_ceil(2);
        let mut taps = Vec::new();
        let mut places = Vec::new();
        for row in 0..rows {
            for column in 0..runs {
                taps.push(
                    row * window.dilation[0] * input.row()
                        + column * window.dilation[1] * pitch
                        + group * channels,
                );
                places.extend((0..2 * pairs).map(|code| {
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
        let codes = &weights.codes[of_group..][..filters * per_filter];
        Self {
            taps,
            pairs,
            weights: Packed::new(&Filters { codes, per_filter }, &places),
            filters,
            first: group * filters,
            epilogue,
        }
    }
}

impl Direct {
    /// Weights of sixteen filters.
    fn block(&self) -> usize {
        self.taps.len() * self.pairs * 2 * LANES
    }

    /// Codes of scratch memory that a run needs.
    pub(crate) fn scratch(&self) -> usize {
        match self.weights {
            Packed::Bytes(_) => self.block(),
            Packed::Words(_) => 0,
        }
    }
}
