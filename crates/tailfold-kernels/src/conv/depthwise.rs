//! The depthwise kernel, for one filter per channel: taps in pairs, sixteen channels at a time.
#![expect(
    unsafe_code,
    reason = "vectors are read and written through pointers whose bounds are checked once per layer, not once per value"
)]

use super::rows::{Tiles, in_tiles};
use super::{Part, Weights};
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes, ORDER, Task};
use crate::requantize::Requantize;
use crate::shape::Window;

/// Packed weights of a depthwise convolution.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    /// Offsets of each pair of taps from the window's first code.
    taps: Vec<[usize; 2]>,
    /// `[blocks, pairs of taps, 16, 2]`.
    weights: Vec<i16>,
    requantize: Requantize,
}

impl Depthwise {
    pub(crate) fn pack(
        weights: Weights<'_>,
        window: &Window,
        input: &Frame,
        requantize: Requantize,
    ) -> Self {
        let [rows, columns] = window.kernel;
        let offsets: Vec<usize> = (0..rows * columns)
            .map(|tap| {
                tap / columns * window.dilation[0] * input.row()
                    + tap % columns * window.dilation[1] * input.pitch()
            })
            .collect();
        // The second tap of an odd last pair has the weight zero.
        let taps: Vec<[usize; 2]> = offsets
            .chunks(2)
            .map(|pair| [pair[0], *pair.last().unwrap_or(&pair[0])])
            .collect();
        let blocks = weights.filters.div_ceil(LANES);
        let mut packed = vec![0; blocks * taps.len() * LANES * 2];
        for channel in 0..weights.filters {
            let lane = ORDER
                .iter()
                .position(|&c| c == channel % LANES)
                .unwrap_or(0);
            for tap in 0..rows * columns {
                let pair = channel / LANES * taps.len() + tap / 2;
                packed[(pair * LANES + lane) * 2 + tap % 2] =
                    weights.codes[channel * rows * columns + tap];
            }
        }
        Self {
            taps,
            weights: packed,
            requantize,
        }
    }
}

/// The depthwise kernel's run over all channels of one image.
pub(crate) struct Run<'a> {
    pub(crate) depthwise: &'a Depthwise,
    pub(crate) window: &'a Window,
    pub(crate) input: &'a Frame,
    pub(crate) output: &'a Frame,
    pub(crate) x: &'a [i16],
    pub(crate) out: Part<'a>,
}

impl Task for Run<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            depthwise,
            window,
            input,
            output,
            x,
            out,
        } = self;
        if output.is_empty() {
            return;
        }
        let step = window.step(input);
        let last = window.start(input, output.height - 1, output.width - 1);
        let reach = depthwise.taps.iter().flatten().max().copied().unwrap_or(0);
        let blocks = output.channels.div_ceil(LANES);
        assert!(
            last + reach + blocks * LANES <= x.len(),
            "the last window ends in the frame"
        );
        let mut row = Row {
            depthwise,
            x: x.as_ptr(),
            step,
            blocks,
            pitch: output.pitch(),
            out,
            at: 0,
        };
        for y in row.out.rows.clone() {
            row.x = x[window.start(input, y, 0)..].as_ptr();
            row.at = output.at(y, 0);
            in_tiles::<L>(output.width, &mut row);
        }
    }
}

struct Row<'a> {
    depthwise: &'a Depthwise,
    /// First code of the first window.
    x: *const i16,
    step: usize,
    blocks: usize,
    pitch: usize,
    out: Part<'a>,
    /// Index of the row's first code in the output.
    at: usize,
}

impl Tiles for Row<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const P: usize>(&mut self, first: usize) {
        let Depthwise {
            taps,
            weights,
            requantize,
        } = self.depthwise;
        let mut weights = weights.as_ptr();
        for block in 0..self.blocks {
            let mut sums = [L::zero(); P];
            for &[a, b] in taps {
                // SAFETY: `Run` has checked that the last window's last block ends in the frame, and `pack` has made
                // weights for every block and pair of taps.
                unsafe {
                    let w = L::load_pairs(weights);
                    weights = weights.add(2 * LANES);
                    for (p, sum) in sums.iter_mut().enumerate() {
                        let x = self.x.add((first + p) * self.step + block * LANES);
                        let pair = L::zip(L::load_codes(x.add(a)), L::load_codes(x.add(b)));
                        *sum = sum.dot(pair, w);
                    }
                }
            }
            let constants = requantize.block(block, 1);
            let channels = (self.pitch - block * LANES).min(LANES);
            let at = self.at + first * self.pitch + block * LANES;
            let count = (P - 1) * self.pitch + channels;
            let to = self.out.at(at, count).as_mut_ptr();
            for (p, sum) in sums.into_iter().enumerate() {
                // SAFETY: the slice `to` ends with the last pixel's last code.
                unsafe { L::store_codes(constants.codes(sum), to.add(p * self.pitch), channels) };
            }
        }
    }
}
