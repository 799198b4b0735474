//! Elementwise functions of INT8 activations, as a lookup table from each code to the code of its result.

use crate::KernelError;
use crate::frame::Frame;

/// Codes without zero points lie within ±255. The table begins at -256, so that its length is a power of two.
const FIRST: u16 = 256;
const LENGTH: usize = 512;

/// The result of every code, at the index that [`place`] gives.
#[derive(Clone, Debug)]
pub(crate) struct Table(Box<[i16; LENGTH]>);

impl Table {
    /// Makes a table in which `codes[i]` is the result of the code `first + i`.
    ///
    /// `range` has the smallest and the largest code that the input can have.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when a code of `range` has no result, and [`KernelError::Clamp`] for a result beyond 255.
    pub(crate) fn new(first: i16, codes: &[i16], range: [i16; 2]) -> Result<Self, KernelError> {
        let [low, high] = range;
        let last = i64::from(first) + i64::try_from(codes.len()).unwrap_or(i64::MAX) - 1;
        if i64::from(low) < i64::from(first) || i64::from(high) > last || low > high {
            return Err(KernelError::Shape(format!(
                "the table has codes from {first} to {last}, but the input has codes from {low} to {high}"
            )));
        }
        let [least, greatest] = ends(codes);
        if least < -255 || greatest > 255 {
            return Err(KernelError::Clamp {
                low: least,
                high: greatest,
            });
        }
        let mut table = Box::new([0; LENGTH]);
        for (code, &result) in (first..).zip(codes) {
            // No input has a code outside this range.
            if (-255..=255).contains(&code) {
                table[place(code)] = result;
            }
        }
        Ok(Self(table))
    }

    /// Writes the results of the codes `x`, laid out as `input`, to `out`, laid out as `output`; the border is not
    /// written.
    pub(crate) fn run(&self, (input, x): (&Frame, &[i16]), (output, out): (&Frame, &mut [i16])) {
        let line = output.width * output.pitch();
        for y in 0..output.height {
            let from = &x[input.at(y, 0)..][..line];
            let to = &mut out[output.at(y, 0)..][..line];
            // Padding channels may hold any number; `place` maps every number into the table.
            for (result, &code) in to.iter_mut().zip(from) {
                *result = self.0[place(code)];
            }
        }
    }
}

/// Returns the index of the result of `code`.
#[inline(always)]
fn place(code: i16) -> usize {
    usize::from(code.cast_unsigned().wrapping_add(FIRST)) % LENGTH
}

/// Returns the smallest and the largest of `codes`; `[0, 0]` without any.
pub(crate) fn ends(codes: &[i16]) -> [i16; 2] {
    let least = codes.iter().min().copied().unwrap_or(0);
    let greatest = codes.iter().max().copied().unwrap_or(0);
    [least, greatest]
}
