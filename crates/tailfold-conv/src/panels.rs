//! Weights, packed in the order in which the inner loops read them.

use crate::lanes::{Isa, LANES};
use crate::tile::PANEL;

/// The output channels that one pass of the inner loop computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// First channel.
    pub(crate) from: usize,
    /// Vectors of sixteen channels.
    pub(crate) vectors: usize,
    /// Number of channels. The last panel may have fewer channels than lanes.
    pub(crate) channels: usize,
}

/// Splits `channels` into panels, which are two vectors wide where the registers hold them.
pub(crate) fn panels(isa: Isa, channels: usize) -> Vec<Panel> {
    let mut panels = Vec::new();
    let mut from = 0;
    while from < channels {
        let left = channels - from;
        let vectors = if isa.wide() && left > LANES { PANEL } else { 1 };
        panels.push(Panel {
            from,
            vectors,
            channels: left.min(vectors * LANES),
        });
        from += vectors * LANES;
    }
    panels
}

/// One panel's weights, `[taps, vectors * 16]`, padded with zeros behind the last channel.
pub(crate) struct Packed {
    pub(crate) panel: Panel,
    pub(crate) weights: Vec<f32>,
}

/// Packs `taps` rows of weights. `weight(tap, channel)` returns the weight of one tap for one output channel.
pub(crate) fn pack(
    isa: Isa,
    channels: usize,
    taps: usize,
    weight: impl Fn(usize, usize) -> f32,
) -> Vec<Packed> {
    let pack = |panel: Panel| {
        let width = panel.vectors * LANES;
        let mut weights = vec![0.0; taps * width];
        for (tap, row) in weights.chunks_exact_mut(width).enumerate() {
            for (c, value) in row.iter_mut().take(panel.channels).enumerate() {
                *value = weight(tap, panel.from + c);
            }
        }
        Packed { panel, weights }
    };
    panels(isa, channels).into_iter().map(pack).collect()
}
