//! Addition of two quantized images, and requantization of one image to another scale.
#![expect(
    unsafe_code,
    reason = "vectors are read and written through pointers whose bounds are checked once per row, not once per value"
)]

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Constants, Ends, Isa, LANES, Lanes, Task};
use crate::requantize::{LARGEST, doubt, nearest};

/// `clamp(round(a * weights[0] + b * weights[1]), low, high)`, where a weight is a term's scale over the result's
/// scale.
///
/// Products and their sum are in double precision, each rounded once, and ties round to even.
#[derive(Clone, Debug, PartialEq)]
pub struct Blend {
    weights: [f64; 2],
    low: i16,
    high: i16,
    isa: Isa,
    vectors: [[f32; LANES]; 2],
    doubt: [f32; LANES],
    ends: Ends,
}

impl Blend {
    /// Prepares the addition for `isa`. `[low, high]` are the ends of the result's codes.
    ///
    /// # Errors
    /// [`KernelError::Ratio`] for a weight that is not finite or above 1e30, [`KernelError::Clamp`] for ends in the
    /// wrong order or beyond 255.
    pub fn new(isa: Isa, weights: [f64; 2], [low, high]: [i16; 2]) -> Result<Self, KernelError> {
        if low > high || low < -255 || high > 255 {
            return Err(KernelError::Clamp { low, high });
        }
        for (channel, value) in weights.into_iter().enumerate() {
            if !value.is_finite() || value.abs() > LARGEST {
                return Err(KernelError::Ratio { channel, value });
            }
        }
        // A bound of the error in single precision: both weights, both products and the sum are rounded, and terms stay
        // below 255 times the weights. The bound is doubled for safety.
        let largest = 255.0 * (weights[0].abs() + weights[1].abs());
        let error = largest * 2.0_f64.powi(-21);
        Ok(Self {
            weights,
            low,
            high,
            isa,
            vectors: weights.map(|w| [single(w); LANES]),
            doubt: [doubt(error); LANES],
            ends: Ends::new([low, high]),
        })
    }

    /// The code of the weighted sum of one pair of codes.
    pub fn code(&self, a: i16, b: i16) -> i16 {
        let steps = f64::from(a) * self.weights[0] + f64::from(b) * self.weights[1];
        nearest(steps, [self.low, self.high])
    }

    /// The codes of the weighted sums of sixteen pairs.
    #[inline(always)]
    pub(crate) fn vector<L: Lanes>(&self, a: L::Codes, b: L::Codes) -> L::Codes {
        let constants = Constants {
            multiplier: &self.vectors[0],
            offset: &self.vectors[1],
            doubt: &self.doubt,
            ends: &self.ends,
        };
        let mut away = L::no_away();
        let codes = L::blend(a, b, constants, &mut away);
        if L::doubtful(away, constants) {
            let [a, b] = [a, b].map(|codes| {
                let mut array = [0; LANES];
                // SAFETY: the array has sixteen codes.
                unsafe { L::store_codes(codes, array.as_mut_ptr(), LANES) };
                array
            });
            return L::codes(exact(self, &a, &b));
        }
        codes
    }

    /// Adds two images. Each term is laid out as its frame, and `out` as `output`; the border of `out` is not written.
    ///
    /// # Panics
    /// When the images differ in size, or a slice is shorter than its frame.
    pub fn run(&self, terms: [(&Frame, &[i16]); 2], output: &Frame, out: &mut [i16]) {
        for (frame, _) in terms {
            let same = |f: &Frame| [f.channels, f.height, f.width];
            assert_eq!(
                same(frame),
                same(output),
                "terms have the size of their sum"
            );
        }
        self.isa.run(Run {
            blend: self,
            terms,
            output,
            out,
        });
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the bound of doubt accounts for rounding to single precision"
)]
fn single(value: f64) -> f32 {
    value as f32
}

struct Run<'a> {
    blend: &'a Blend,
    terms: [(&'a Frame, &'a [i16]); 2],
    output: &'a Frame,
    out: &'a mut [i16],
}

impl Task for Run<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let blend = self.blend;
        let line = self.output.width * self.output.pitch();
        for y in 0..self.output.height {
            let [a, b] = [0, 1].map(|i| {
                let (frame, codes) = self.terms[i];
                &codes[frame.at(y, 0)..][..line]
            });
            let out = &mut self.out[self.output.at(y, 0)..][..line];
            let mut at = 0;
            while at < line {
                // The last vector begins early enough to end with the row.
                let first = at.min(line.saturating_sub(LANES));
                let count = (line - first).min(LANES);
                if count < LANES {
                    for i in 0..count {
                        out[i] = blend.code(a[i], b[i]);
                    }
                } else {
                    // SAFETY: the rows have sixteen codes from `first` on.
                    unsafe {
                        let (x, y) = (
                            L::load_codes(a.as_ptr().add(first)),
                            L::load_codes(b.as_ptr().add(first)),
                        );
                        let codes = blend.vector::<L>(x, y);
                        L::store_codes(codes, out.as_mut_ptr().add(first), LANES);
                    }
                }
                at += LANES;
            }
        }
    }
}

#[cold]
#[inline(never)]
fn exact(blend: &Blend, a: &[i16; LANES], b: &[i16; LANES]) -> [i16; LANES] {
    std::array::from_fn(|i| blend.code(a[i], b[i]))
}
