//! Mul on INT8 activations: the product of two images, or of an image and one value per channel.

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::{Isa, Lanes, Task};
use crate::requantize::{LARGEST, nearest};

/// Computes `clamp(round(a * b * weight), low, high)` for each pair of codes.
///
/// `weight` is the product of the inputs' scales over the result's scale. The product of the codes is exact, the rest
/// is in double precision, and ties round to even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    isa: Isa,
    weight: f64,
    clamp: [i16; 2],
}

impl Product {
    /// Prepares the product for `isa`.
    ///
    /// # Errors
    /// [`KernelError::Ratio`] for a weight that is not finite or beyond 1e30, and [`KernelError::Clamp`] for a clamp in
    /// the wrong order or beyond 255.
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

    /// Writes the product of `input` and `gate`, each a frame and its codes, to `output`; the border is not written.
    ///
    /// `gate` has the size of `input`, or one pixel with a value per channel.
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
    /// A plain loop, which the compiler vectorises for the instruction set of `L`.
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
