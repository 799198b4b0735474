//! Winograd's F(2x2, 3x3) in integers: 2x2 results from 4x4 codes with 16 instead of 36 products per input and output
//! channel.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks* (2015). The filter's transform is doubled in
//! each dimension, so that it has no fractions. Transformed weights stay within 9 * 255, transformed codes within 4 *
//! 255, and all sums are exactly four times too large. Intermediate sums may wrap around at 32 bits; final sums fit.
#![expect(
    unsafe_code,
    reason = "tiles are read and written through pointers whose bounds are checked once per layer, not once per value"
)]

use super::filters::Filters;
use super::residual::Other;
use super::rows::{Tiles, in_tiles, tile};
use super::{Part, Weights};
use crate::frame::Frame;
use crate::lanes::{LANES, Lanes, Pairs, Task};
use crate::requantize::Requantize;
use crate::scratch::Need;
use crate::shape::Window;

/// Number of positions in a transformed tile.
const POSITIONS: usize = 16;

/// Factor by which the computed sums are larger than the true ones.
const FACTOR: i32 = 4;

/// Packed, transformed weights.
#[derive(Clone, Debug)]
pub(crate) struct Winograd {
    /// `[blocks, 16 positions, pairs, 16, 2]`.
    weights: Vec<i16>,
    pairs: usize,
    requantize: Requantize,
    /// Number of tiles that are transformed together.
    chunk: usize,
}

impl Winograd {
    /// Whether the kernel supports the convolution and pays off. `bounds` has the largest sum of each filter.
    pub(crate) fn fits(
        weights: &Weights<'_>,
        window: &Window,
        input: &Frame,
        bounds: &[u64],
    ) -> bool {
        window.kernel == [3, 3]
            && window.stride == [1, 1]
            && window.dilation == [1, 1]
            && weights.groups == 1
            && weights.filters >= LANES
            && input.channels >= LANES
            && bounds
                .iter()
                .all(|&bound| bound <= u64::from(i32::MAX.unsigned_abs() / FACTOR.unsigned_abs()))
    }

    pub(crate) fn pack(weights: Weights<'_>, input: &Frame, requantize: &Requantize) -> Self {
        let channels = input.channels;
        let pairs = channels.div_ceil(2);
        let filters = Filters {
            codes: weights.codes,
            per_filter: channels * 9,
        };
        let mut packed = vec![0; filters.blocks() * POSITIONS * pairs * LANES * 2];
        for block in 0..filters.blocks() {
            for (channel, taps) in filters.across(block).as_chunks().0.iter().enumerate() {
                for (position, lanes) in transformed(taps).into_iter().enumerate() {
                    let pair = (block * POSITIONS + position) * pairs + channel / 2;
                    let to = &mut packed[pair * LANES * 2..][..LANES * 2];
                    for (to, weight) in to.as_chunks_mut::<2>().0.iter_mut().zip(lanes) {
                        to[channel % 2] = weight;
                    }
                }
            }
        }
        Self {
            weights: packed,
            pairs,
            requantize: requantize.divided_by(4.0),
            chunk: if pairs <= 16 { 24 } else { 12 },
        }
    }

    /// Scratch memory of a run.
    pub(crate) fn scratch(&self, input: &Frame) -> Need {
        Need {
            codes: POSITIONS * self.chunk * wide(input),
            sums: POSITIONS * self.chunk * LANES,
            ..Need::default()
        }
    }
}

/// Number of codes of a transformed pixel: its channels, padded to whole vectors.
fn wide(input: &Frame) -> usize {
    input.pitch().next_multiple_of(LANES)
}

/// `2G g (2G)^T` of sixteen 3x3 filters.
fn transformed(taps: &[[i16; LANES]; 9]) -> [[i16; LANES]; POSITIONS] {
    let line = |[a, b, c]: [&[i16; LANES]; 3]| -> [[i16; LANES]; 4] {
        [
            std::array::from_fn(|l| 2 * a[l]),
            std::array::from_fn(|l| a[l] + b[l] + c[l]),
            std::array::from_fn(|l| a[l] - b[l] + c[l]),
            std::array::from_fn(|l| 2 * c[l]),
        ]
    };
    let rows: [_; 3] =
        std::array::from_fn(|r| line([&taps[3 * r], &taps[3 * r + 1], &taps[3 * r + 2]]));
    let columns: [_; 4] = std::array::from_fn(|c| line([&rows[0][c], &rows[1][c], &rows[2][c]]));
    std::array::from_fn(|position| columns[position % 4][position / 4])
}

/// Winograd's run over some rows of one image.
pub(crate) struct Run<'a> {
    pub(crate) winograd: &'a Winograd,
    pub(crate) window: &'a Window,
    pub(crate) input: &'a Frame,
    pub(crate) output: &'a Frame,
    pub(crate) x: &'a [i16],
    pub(crate) other: Option<Other<'a>>,
    /// Receives the codes. Its first row has an even index.
    pub(crate) out: Part<'a>,
    /// Scratch memory of at least the size that [`Winograd::scratch`] returns.
    pub(crate) codes: &'a mut [i16],
    /// Scratch memory, as `codes`.
    pub(crate) sums: &'a mut [i32],
}

impl Task for Run<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let across = self.output.width.div_ceil(2);
        let begin = across * (self.out.rows.start / 2);
        let tiles = across * self.out.rows.len().div_ceil(2);
        let wide = wide(self.input);
        let last = self.window.start(
            self.input,
            self.output.height.next_multiple_of(2) - 2,
            self.output.width.next_multiple_of(2) - 2,
        );
        let reach = 3 * self.input.row() + 3 * self.input.pitch() + wide;
        assert!(
            last + reach <= self.x.len(),
            "the last tile ends in the frame"
        );
        let need = self.winograd.scratch(self.input);
        assert!(
            need.codes <= self.codes.len() && need.sums <= self.sums.len(),
            "the scratch memory is enough"
        );
        let chunks = tiles.div_ceil(self.winograd.chunk);
        let mut first = begin;
        for chunk in 0..chunks {
            let count = (begin + tiles - first).div_ceil(chunks - chunk);
            for t in 0..count {
                let (y, x) = ((first + t) / across * 2, (first + t) % across * 2);
                let start = self.window.start(self.input, y, x);
                // SAFETY: the last tile ends in the frame, and the scratch memory holds a chunk of tiles.
                unsafe { self.transform::<L>(start, t, wide) };
            }
            for block in 0..self.output.channels.div_ceil(LANES) {
                self.multiply::<L>(block, count, wide);
                for t in 0..count {
                    let (y, x) = ((first + t) / across * 2, (first + t) % across * 2);
                    self.finish::<L>(block, t, [y, x]);
                }
            }
            first += count;
        }
    }
}

impl Run<'_> {
    /// Writes `B^T d B` of the 4x4 codes from `start` on to tile `t` of the scratch memory.
    ///
    /// # Safety
    /// The tile ends in the frame, and `t` is below the chunk.
    #[inline(always)]
    unsafe fn transform<L: Lanes>(&mut self, start: usize, t: usize, wide: usize) {
        let (row, pitch) = (self.input.row(), self.input.pitch());
        let position = self.winograd.chunk * wide;
        for block in (0..wide).step_by(LANES) {
            // SAFETY: the caller's promise.
            unsafe {
                let x = self.x.as_ptr().add(start + block);
                let to = self.codes.as_mut_ptr().add(t * wide + block);
                let column = |c: usize| {
                    let x = x.add(c * pitch);
                    [
                        L::load_codes(x),
                        L::load_codes(x.add(row)),
                        L::load_codes(x.add(2 * row)),
                        L::load_codes(x.add(3 * row)),
                    ]
                };
                let [a, b, c, d] = [
                    folded::<L>(column(0)),
                    folded::<L>(column(1)),
                    folded::<L>(column(2)),
                    folded::<L>(column(3)),
                ];
                for r in 0..4 {
                    let line = folded::<L>([a[r], b[r], c[r], d[r]]);
                    for (c, codes) in line.into_iter().enumerate() {
                        L::store_codes(codes, to.add((4 * r + c) * position), LANES);
                    }
                }
            }
        }
    }

    /// Multiplies `count` transformed tiles by one block of filters, position by position.
    #[inline(always)]
    fn multiply<L: Lanes>(&mut self, block: usize, count: usize, wide: usize) {
        let chunk = self.winograd.chunk;
        let weights = self.winograd.pairs * 2 * LANES;
        for position in 0..POSITIONS {
            let mut row = Products {
                x: &self.codes[position * chunk * wide..][..chunk * wide],
                wide,
                pairs: self.winograd.pairs,
                weights: &self.winograd.weights[(block * POSITIONS + position) * weights..]
                    [..weights],
                sums: &mut self.sums[position * chunk * LANES..][..chunk * LANES],
            };
            in_tiles::<L>(count, &mut row);
        }
    }

    /// Requantizes `A^T m A` of tile `t` and writes it to the four pixels from `y`, `x` on.
    #[inline(always)]
    fn finish<L: Lanes>(&mut self, block: usize, t: usize, [y, x]: [usize; 2]) {
        let position = self.winograd.chunk * LANES;
        let sums = &self.sums[t * LANES..];
        assert!((POSITIONS - 1) * position + LANES <= sums.len());
        // SAFETY: the last position's sums are in the scratch memory.
        let at = |p: usize| unsafe { L::load(sums.as_ptr().add(p * position)) };
        let mut halves = [[L::zero(); 4]; 2];
        let [upper, lower] = &mut halves;
        for (c, (upper, lower)) in upper.iter_mut().zip(lower).enumerate() {
            let (second, third) = (at(4 + c), at(8 + c));
            *upper = at(c).add(second).add(third);
            *lower = second.sub(third).sub(at(12 + c));
        }
        let constants = self.winograd.requantize.block(block, FACTOR);
        let channels = (self.output.pitch() - block * LANES).min(LANES);
        let [[a, b, c, d], [e, f, g, h]] = halves;
        let results = [
            a.add(b).add(c),
            b.sub(c).sub(d),
            e.add(f).add(g),
            f.sub(g).sub(h),
        ];
        for (i, sums) in results.into_iter().enumerate() {
            let (y, x) = (y + i / 2, x + i % 2);
            if y < self.output.height && x < self.output.width {
                let at = self.output.at(y, x) + block * LANES;
                let to = self.out.at(at, channels);
                let mut codes = constants.codes(sums);
                if let Some(other) = &self.other {
                    let at = other.at(y, x) + block * LANES;
                    // SAFETY: the block lies in the frame.
                    codes = unsafe { other.added::<L>(codes, at) };
                }
                // SAFETY: exactly `to.len()` codes are written.
                unsafe { L::store_codes(codes, to.as_mut_ptr(), to.len()) };
            }
        }
    }
}

/// `B^T` times four values.
#[inline(always)]
fn folded<L: Lanes>([a, b, c, d]: [L::Codes; 4]) -> [L::Codes; 4] {
    [
        L::sub_codes(a, c),
        L::add_codes(b, c),
        L::sub_codes(c, b),
        L::sub_codes(b, d),
    ]
}

/// The products of one position of the transformed tiles.
struct Products<'a> {
    x: &'a [i16],
    wide: usize,
    pairs: usize,
    weights: &'a [i16],
    sums: &'a mut [i32],
}

impl Tiles for Products<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const P: usize>(&mut self, first: usize) {
        let x = &self.x[first * self.wide..][..P * self.wide];
        let to = &mut self.sums[first * LANES..][..P * LANES];
        assert!(2 * self.pairs <= self.wide && self.pairs * 2 * LANES <= self.weights.len());
        // SAFETY: `x` has `P` pixels of `wide` codes, which hold all pairs, and there are weights for all pairs.
        let sums: [L; P] = unsafe {
            tile::<Pairs, L, P>(
                L::zero(),
                x.as_ptr(),
                self.wide,
                &[0],
                self.pairs,
                self.weights.as_ptr(),
            )
        };
        for (p, sum) in sums.into_iter().enumerate() {
            // SAFETY: `to` has sixteen sums for each of the pixels.
            unsafe { sum.store(to.as_mut_ptr().add(p * LANES)) };
        }
    }
}
