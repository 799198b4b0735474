//! Products of two images, or of an image and one value for each channel.

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Isa, Lanes, Task};
use crate::requantize::{LARGEST, nearest};

/// `clamp(round(a * b * weight), low, high)`: the product of codes is exact, the weight in double precision is the product
/// of their scales over that of the result, and ties round to even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    isa: Isa,
    weight: f64,
    clamp: [i16; 2],
}

impl Product {
    /// # Errors
    /// [`KernelError::Ratio`] for a weight that is not finite or above 1e30, [`KernelError::Clamp`] for ends in the wrong
    /// order or beyond 255.
    pub(crate) fn new(isa: Isa, weight: f64, clamp: [i16; 2]) -> Result<Self, KernelError> {
        let [low, high] = clamp;
        if low > high || low < -255 || high > 255 {
            return Err(KernelError::Clamp { low, high });
        }
        if !weight.is_finite() || weight.abs() > LARGEST {
            return Err(KernelError::Ratio {
                channel: 0,
                value: weight,
            });
        }
        Ok(Self { isa, weight, clamp })
    }

    /// One image each: the codes of the input, those of the gate, which has the same size or one pixel, and `out`, whose
    /// border is left alone.
    pub(crate) fn run(
        self,
        input: (&Frame, &[i16]),
        gate: (&Frame, &[i16]),
        output: (&Frame, &mut [i16]),
    ) {
        self.isa.run(Run {
            product: self,
            input,
            gate,
            output,
        });
    }
}

struct Run<'a> {
    product: Product,
    input: (&'a Frame, &'a [i16]),
    gate: (&'a Frame, &'a [i16]),
    output: (&'a Frame, &'a mut [i16]),
}

impl Task for Run<'_> {
    /// The compiler makes vectors of the plain loop, of the unit that it is compiled for.
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Product { weight, clamp, .. } = self.product;
        let ((input, x), (gate, factors), (output, out)) = (self.input, self.gate, self.output);
        let one = gate.height * gate.width == 1;
        let channels = output.channels;
        for row in 0..output.height {
            for column in 0..output.width {
                let [y, x_] = if one { [0, 0] } else { [row, column] };
                let factors = &factors[gate.at(y, x_)..][..channels];
                let from = &x[input.at(row, column)..][..channels];
                let to = &mut out[output.at(row, column)..][..channels];
                for ((to, &a), &b) in to.iter_mut().zip(from).zip(factors) {
                    let product = i32::from(a) * i32::from(b);
                    *to = nearest(f64::from(product) * weight, clamp);
                }
            }
        }
    }
}
