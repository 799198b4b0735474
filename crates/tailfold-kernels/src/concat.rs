//! Concat on INT8 activations: the channels of several images in one, each image requantized to the scale of the
//! result.
#![expect(
    unsafe_code,
    reason = "vectors are read and written through pointers whose bounds are checked once per row, not once per value"
)]

use crate::KernelError;
use crate::blend::Blend;
use crate::frame::Frame;
use crate::lanes::{Isa, LANES, Lanes, Task};

/// One input of a concatenation: its first channel in the result, and its requantization.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    first: usize,
    isa: Isa,
    /// `None` where the codes are copied unchanged.
    blend: Option<Blend>,
}

impl Part {
    /// Prepares an input whose codes lie within `range` and whose channels begin at channel `first` of the result.
    ///
    /// `weight` is the input's scale over the result's, and `clamp` has the ends of the result's codes.
    ///
    /// # Errors
    /// As [`Blend::new`].
    pub(crate) fn new(
        isa: Isa,
        first: usize,
        weight: f64,
        range: [i16; 2],
        clamp: [i16; 2],
    ) -> Result<Self, KernelError> {
        let blend = Blend::new(isa, [weight, 0.0], clamp)?;
        let inside = clamp[0] <= range[0] && range[1] <= clamp[1];
        let kept = weight.to_bits() == 1.0_f64.to_bits() && inside;
        Ok(Self {
            first,
            isa,
            blend: (!kept).then_some(blend),
        })
    }

    /// Writes the codes `x`, laid out as `input`, to the channels of this input in `out`, and to no others.
    ///
    /// # Panics
    /// When `x` or `out` is shorter than its frame, or the result has too few channels.
    pub(crate) fn run(&self, (input, x): (&Frame, &[i16]), (output, out): (&Frame, &mut [i16])) {
        assert!(
            x.len() >= input.len() && self.first + input.channels <= output.channels,
            "the part fits its result"
        );
        match &self.blend {
            None => {
                for y in 0..output.height {
                    let from = &x[input.at(y, 0)..][..input.width * input.pitch()];
                    let to = &mut out[output.at(y, 0)..][..output.width * output.pitch()];
                    let pixels = to.chunks_exact_mut(output.pitch());
                    for (to, from) in pixels.zip(from.chunks_exact(input.pitch())) {
                        to[self.first..][..input.channels].copy_from_slice(&from[..input.channels]);
                    }
                }
            }
            Some(blend) => self.isa.run(Rescale {
                blend,
                first: self.first,
                input,
                x,
                output,
                out,
            }),
        }
    }
}

struct Rescale<'a> {
    blend: &'a Blend,
    first: usize,
    input: &'a Frame,
    x: &'a [i16],
    output: &'a Frame,
    out: &'a mut [i16],
}

impl Task for Rescale<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            blend,
            first,
            input,
            x,
            output,
            out,
        } = self;
        for y in 0..output.height {
            let from = input.at(y, 0);
            // The vector of the last pixel reaches past its channels: a frame has spare codes at its end for that.
            let from = &x[from..][..input.width * input.pitch() + LANES];
            let to = &mut out[output.at(y, 0)..][..output.width * output.pitch()];
            for pixel in 0..output.width {
                let mut channel = 0;
                while channel < input.channels {
                    let count = (input.channels - channel).min(LANES);
                    // SAFETY: `from` has sixteen codes from every channel of the row on, and `to` has `count` codes
                    // from this channel on, within the pixel.
                    unsafe {
                        let codes = from.as_ptr().add(pixel * input.pitch() + channel);
                        let codes = L::load_codes(codes);
                        let codes = blend.vector::<L>(codes, codes);
                        let to = to.as_mut_ptr();
                        let to = to.add(pixel * output.pitch() + first + channel);
                        L::store_codes(codes, to, count);
                    }
                    channel += LANES;
                }
            }
        }
    }
}

/// Zeros the padding channels of `out`, between the last channel and the pitch.
pub(crate) fn clear_rest(output: &Frame, out: &mut [i16]) {
    if output.channels == output.pitch() {
        return;
    }
    for y in 0..output.height {
        let line = &mut out[output.at(y, 0)..][..output.width * output.pitch()];
        for pixel in line.chunks_exact_mut(output.pitch()) {
            pixel[output.channels..].fill(0);
        }
    }
}
