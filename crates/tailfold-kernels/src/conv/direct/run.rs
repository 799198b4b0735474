//! The direct kernel's run over one image.
#![expect(
    unsafe_code,
    reason = "tiles are read and written through pointers whose bounds are checked once per layer, not once per value"
)]

use std::ops::Range;

use super::ending::{self, Ending};
use super::{Direct, Packed};
use crate::conv::residual::Other;
use crate::conv::rows::{Tiles, in_tiles, tile};
use crate::conv::{Epilogue, Sink};
use crate::frame::Frame;
use crate::lanes::{Form, Isa, LANES, Lanes, Pairs, Quads, Task};
use crate::shape::Window;

/// The image that the windows slide over.
#[derive(Clone, Copy)]
pub(crate) struct Image<'a> {
    pub(crate) window: &'a Window,
    pub(crate) input: &'a Frame,
    pub(crate) x: &'a [i16],
    /// The codes as bytes, for weights that are multiplied as bytes.
    pub(crate) bytes: &'a [i8],
}

/// One group's filters over one image.
pub(crate) struct Run<'a> {
    pub(crate) image: Image<'a>,
    pub(crate) direct: &'a Direct,
    pub(crate) other: Option<Other<'a>>,
    pub(crate) output: &'a Frame,
    /// Receives the results of some rows or of the whole image.
    pub(crate) out: Sink<'a>,
    /// Scratch memory of at least [`Direct::scratch`] codes.
    pub(crate) codes: &'a mut [i16],
}

impl Run<'_> {
    /// Runs on `isa`, with a separately compiled loop for each ending.
    pub(crate) fn on(self, isa: Isa) {
        let Self { direct, output, .. } = self;
        match (self.out, &direct.epilogue) {
            (Sink::Codes(out), Epilogue::Codes(requantize)) => {
                let range = out.rows.clone();
                let codes = ending::Codes::new(direct, requantize, output, out);
                let flat = output.is_flat();
                match self.other {
                    None => isa.run(Rows {
                        image: self.image,
                        direct,
                        output,
                        codes: self.codes,
                        range,
                        flat,
                        ending: codes,
                    }),
                    Some(other) => isa.run(Rows {
                        image: self.image,
                        direct,
                        output,
                        codes: self.codes,
                        range,
                        flat: flat && other.is_flat(),
                        ending: ending::Sums::new(codes, other),
                    }),
                }
            }
            (Sink::Real(out), epilogue) => isa.run(Rows {
                image: self.image,
                direct,
                output,
                codes: self.codes,
                range: 0..output.height,
                flat: output.is_flat(),
                ending: ending::Real {
                    direct,
                    epilogue,
                    out,
                    pixels: output.height * output.width,
                    block: 0,
                    pixel: 0,
                },
            }),
            _ => unreachable!("the sink is chosen by the epilogue"),
        }
    }
}

/// Rows of output pixels.
struct Rows<'a, E> {
    image: Image<'a>,
    direct: &'a Direct,
    output: &'a Frame,
    codes: &'a mut [i16],
    range: Range<usize>,
    /// Whether rows of the results follow each other without a gap.
    flat: bool,
    ending: E,
}

impl<E: Ending> Task for Rows<'_, E> {
    /// Multiplies in the form that the weights are packed for.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Image { x, bytes, .. } = self.image;
        match &self.direct.weights {
            Packed::Words(words) => {
                self.rows::<L, Pairs>(x, |range, _, _| (words[range].as_ptr(), [0; LANES]));
            }
            Packed::Bytes(weights) => self.rows::<L, Pairs>(x, |range, _, codes| {
                let to = &mut codes[..range.len()];
                widen::<L>(&weights[range], to);
                (to.as_ptr(), [0; LANES])
            }),
            Packed::Quads(quads) => self.rows::<L, Quads>(bytes, |range, block, _| {
                (quads.weights[range].as_ptr(), quads.start::<L>(block))
            }),
        }
    }
}

impl<E: Ending> Rows<'_, E> {
    /// Computes all rows. `weights` returns the weights of a block and the start values of its sums.
    #[inline(always)]
    fn rows<L: Lanes, F: Form>(
        mut self,
        x: &[F::Code],
        mut weights: impl FnMut(Range<usize>, usize, &mut [i16]) -> (*const F::Code, [i32; LANES]),
    ) {
        let Self {
            image: Image { window, input, .. },
            direct,
            output,
            ref mut codes,
            ref range,
            flat,
            ref mut ending,
        } = self;
        let strips = Strips::new(window, input, output, range.len(), flat);
        let last = window.start(input, output.height - 1, output.width - 1);
        let reach = direct.taps.iter().max().copied().unwrap_or(0) + F::DEPTH * direct.steps;
        assert!(last + reach <= x.len(), "the last window ends in the frame");
        let size = direct.block::<F>();
        let pixels = range.start * output.width..range.end * output.width;
        for strip in pixels.clone().step_by(strips.strip) {
            let end = (strip + strips.strip).min(pixels.end);
            for block in 0..direct.filters.div_ceil(LANES) {
                let (weights, start) = weights(block * size..(block + 1) * size, block, codes);
                for pixel in (strip..end).step_by(strips.row) {
                    let (y, x_) = (pixel / output.width, pixel % output.width);
                    ending.begin(block, pixel);
                    let mut row = Row::<F, E> {
                        taps: &direct.taps,
                        steps: direct.steps,
                        x: x[window.start(input, y, x_)..].as_ptr(),
                        step: window.step(input),
                        weights,
                        start,
                        ending,
                    };
                    in_tiles::<L>(strips.row.min(end - pixel), &mut row);
                }
            }
        }
    }
}

/// Converts bytes to codes, sixteen at a time. The weights of a block fill whole vectors.
#[inline(always)]
fn widen<L: Lanes>(bytes: &[i8], codes: &mut [i16]) {
    for (bytes, codes) in bytes.chunks_exact(LANES).zip(codes.chunks_exact_mut(LANES)) {
        // SAFETY: both have sixteen elements.
        unsafe { L::store_codes(L::widen(bytes.as_ptr()), codes.as_mut_ptr(), LANES) };
    }
}

/// A strip of output pixels, for which the kernel computes one block of filters after the other. It is small enough
/// that its inputs and outputs stay in the L1 cache.
struct Strips {
    /// Number of pixels at equal distances.
    row: usize,
    /// Number of pixels in a strip.
    strip: usize,
}

impl Strips {
    /// Largest number of pixels per pass over the weights, where rows can be cut.
    const PIXELS: usize = 56;

    /// Number of input codes that leave room for other data in an L1 cache of 32 KiB.
    const CODES: usize = 16 * 1024;

    fn new(window: &Window, input: &Frame, output: &Frame, rows: usize, flat: bool) -> Self {
        if window == &Window::point() && input.is_flat() && flat {
            // Rows of the image follow each other without a gap, so a strip can end at any pixel. All strips have nearly
            // the same length, because a short strip would read all weights for few pixels.
            let pixels = rows * output.width;
            let row = pixels.div_ceil(pixels.div_ceil(Self::PIXELS));
            return Self { row, strip: row };
        }
        // With few channels, more pixels fit into the cache, and each pass over the weights serves more pixels.
        let window_codes = input.pitch() * window.kernel[0] * window.kernel[1];
        let most = (Self::CODES / window_codes).clamp(Self::PIXELS, 4 * Self::PIXELS);
        let rows = rows.div_ceil((rows * output.width).div_ceil(most));
        Self {
            row: output.width,
            strip: output.width * rows,
        }
    }
}

/// A row of output pixels of one block of filters.
struct Row<'a, F: Form, E> {
    taps: &'a [usize],
    steps: usize,
    /// First code of the first window.
    x: *const F::Code,
    /// Number of codes from one window to the next.
    step: usize,
    weights: *const F::Code,
    /// Start values of the sums.
    start: [i32; LANES],
    ending: &'a mut E,
}

impl<F: Form, E: Ending> Tiles for Row<'_, F, E> {
    #[inline(always)]
    fn tile<L: Lanes, const P: usize>(&mut self, first: usize) {
        // SAFETY: `Rows` has checked that the last window of the last row ends in the frame, and that the block has its
        // weights.
        let sums: [L; P] = unsafe {
            tile::<F, L, P>(
                L::load(self.start.as_ptr()),
                self.x.add(first * self.step),
                self.step,
                self.taps,
                self.steps,
                self.weights,
            )
        };
        self.ending.put(first, sums);
    }
}
