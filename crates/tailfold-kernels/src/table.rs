//! Functions of one code: a table of the code that each one becomes.

use crate::KernelError;
use crate::frame::Frame;

/// Codes without zero points lie within ±255; the table starts one below, so that its length is a power of two.
const FIRST: u16 = 256;
const LENGTH: usize = 512;

/// The result of every code.
#[derive(Clone, Debug)]
pub(crate) struct Table(Box<[i16; LENGTH]>);

impl Table {
    /// `codes[i]` is the result of the code `first + i`; `range` has the smallest and the largest code that can come.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when a code of `range` has no result, [`KernelError::Clamp`] for a result beyond 255.
    pub(crate) fn new(first: i16, codes: &[i16], range: [i16; 2]) -> Result<Self, KernelError> {
        let [low, high] = range;
        let last = i64::from(first) + i64::try_from(codes.len()).unwrap_or(i64::MAX) - 1;
        if i64::from(low) < i64::from(first) || i64::from(high) > last || low > high {
            return Err(KernelError::Shape(format!(
                "a table of the codes from {first} to {last} lacks some between {low} and {high}"
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
            // What lies beyond codes is never asked for.
            if (-255..=255).contains(&code) {
                table[place(code)] = result;
            }
        }
        Ok(Self(table))
    }

    /// The results of the codes `x`, which lie as `input` says, to `out`; its border is left alone.
    pub(crate) fn run(&self, (input, x): (&Frame, &[i16]), (output, out): (&Frame, &mut [i16])) {
        let line = output.width * output.pitch();
        for y in 0..output.height {
            let from = &x[input.at(y, 0)..][..line];
            let to = &mut out[output.at(y, 0)..][..line];
            // What fills the channels up may be any number: it has a place too.
            for (result, &code) in to.iter_mut().zip(from) {
                *result = self.0[place(code)];
            }
        }
    }
}

/// Where the result of `code` lies.
#[inline(always)]
fn place(code: i16) -> usize {
    usize::from(code.cast_unsigned().wrapping_add(FIRST)) % LENGTH
}

/// The smallest and the largest of `codes`.
pub(crate) fn ends(codes: &[i16]) -> [i16; 2] {
    let least = codes.iter().min().copied().unwrap_or(0);
    let greatest = codes.iter().max().copied().unwrap_or(0);
    [least, greatest]
}
