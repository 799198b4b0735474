//! Requantization of sums of products to codes: the exact definition, and its form for vectors.

use crate::KernelError;
use crate::lanes::{Constants, Ends, LANES, Lanes, ORDER};

/// The requantization of a layer's sums, with constants per channel:
/// `clamp(round(sum * multiplier + offset), low, high)`.
///
/// Sums are of products of codes without zero points. With `multiplier = input scale * weight scale / output scale` and
/// `offset = bias / output scale`, the result is the real value in steps of the output, with ties rounded to even.
/// `low` and `high` are the ends of the output's type or of an activation, without the zero point. Rounding is
/// monotone, so a ReLU or Clip before the rounding equals a narrower clamp after it.
///
/// This computes ONNX's sequence DequantizeLinear, operator, QuantizeLinear in real arithmetic: product and sum are in
/// double precision, each rounded once, with an error of at most 2^-52 of the larger one.
#[derive(Clone, Debug, PartialEq)]
pub struct Requantize {
    multiplier: Vec<f64>,
    offset: Vec<f64>,
    low: i16,
    high: i16,
    vectors: Vectors,
}

/// The constants in single precision, in blocks of sixteen channels in the order of the lanes, with a bound of the
/// error.
#[derive(Clone, Debug, PartialEq)]
struct Vectors {
    multiplier: Vec<[f32; LANES]>,
    offset: Vec<[f32; LANES]>,
    doubt: Vec<[f32; LANES]>,
    ends: Ends,
}

/// The largest accepted ratio. Larger ratios could overflow in single precision, and no real network has them.
pub(crate) const LARGEST: f64 = 1e30;

impl Requantize {
    /// Prepares the requantization. `multiplier` and `offset` have one entry per channel.
    ///
    /// # Errors
    /// [`KernelError::Length`] when the two differ in length, [`KernelError::Ratio`] for an entry that is not finite or
    /// above 1e30, [`KernelError::Clamp`] when the ends are in the wrong order or beyond 255.
    pub fn new(
        multiplier: Vec<f64>,
        offset: Vec<f64>,
        [low, high]: [i16; 2],
    ) -> Result<Self, KernelError> {
        if multiplier.len() != offset.len() {
            return Err(KernelError::Length {
                what: "offsets",
                found: offset.len(),
                expected: multiplier.len(),
            });
        }
        if low > high || low < -255 || high > 255 {
            return Err(KernelError::Clamp { low, high });
        }
        for (channel, &value) in multiplier.iter().chain(&offset).enumerate() {
            if !value.is_finite() || value.abs() > LARGEST {
                return Err(KernelError::Ratio {
                    channel: channel % multiplier.len(),
                    value,
                });
            }
        }
        let vectors = Vectors::new(&multiplier, &offset, [low, high]);
        Ok(Self {
            multiplier,
            offset,
            low,
            high,
            vectors,
        })
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.multiplier.len()
    }

    /// The smallest and the largest code.
    pub(crate) fn ends(&self) -> [i16; 2] {
        [self.low, self.high]
    }

    /// The requantization of `count` channels from `first` on.
    pub(crate) fn of_channels(&self, first: usize, count: usize) -> Result<Self, KernelError> {
        let part = first..first + count;
        let all_doubted = self.vectors.doubt.iter().flatten().all(|&d| d < 0.0);
        let mut of_part = Self::new(
            self.multiplier[part.clone()].to_vec(),
            self.offset[part].to_vec(),
            [self.low, self.high],
        )?;
        if all_doubted {
            of_part.vectors.doubt.fill([-1.0; LANES]);
        }
        Ok(of_part)
    }

    /// The exact code of `sum` in `channel`.
    pub fn code(&self, channel: usize, sum: i32) -> i16 {
        let steps = f64::from(sum) * self.multiplier[channel] + self.offset[channel];
        nearest(steps, [self.low, self.high])
    }

    /// Prepares for sums within `bounds`, one per channel. If single-precision results could exceed 32-bit integers,
    /// all codes are computed with the exact definition.
    #[must_use]
    pub(crate) fn within(mut self, bounds: &[u64]) -> Self {
        let largest = bounds
            .iter()
            .zip(self.multiplier.iter().zip(&self.offset))
            .map(|(&bound, (m, o))| {
                f64::from(u32::try_from(bound).unwrap_or(u32::MAX)) * m.abs() + o.abs()
            })
            .fold(0.0, f64::max);
        if largest >= f64::from(1 << 30) {
            self.vectors.doubt.fill([-1.0; LANES]);
        }
        self
    }

    /// Prepares for sums that are `factor` times too large, where `factor` is a power of two.
    pub(crate) fn divided_by(&self, factor: f32) -> Self {
        let mut scaled = self.clone();
        for m in scaled.vectors.multiplier.as_flattened_mut() {
            *m /= factor;
        }
        scaled
    }

    /// The block of sixteen channels from `16 * index` on, for sums that are `factor` times too large.
    #[inline(always)]
    pub(crate) fn block(&self, index: usize, factor: i32) -> Block<'_> {
        Block {
            constants: Constants {
                multiplier: &self.vectors.multiplier[index],
                offset: &self.vectors.offset[index],
                doubt: &self.vectors.doubt[index],
                ends: &self.vectors.ends,
            },
            requantize: self,
            index,
            factor,
        }
    }

    /// The exact codes, in the order of channels, of a block's sixteen `sums`, which are in the order of the lanes and
    /// `factor` times too large.
    #[cold]
    #[inline(never)]
    pub(crate) fn exact(&self, block: usize, sums: [i32; LANES], factor: i32) -> [i16; LANES] {
        let mut codes = [0; LANES];
        for (lane, sum) in sums.into_iter().enumerate() {
            let channel = block * LANES + ORDER[lane];
            if channel < self.channels() {
                codes[ORDER[lane]] = self.code(channel, sum / factor);
            }
        }
        codes
    }
}

/// Clamps `steps` to `low` and `high`, and rounds it, ties to even.
///
/// Adding 1.5 * 2^52 to a number below 2^51 in magnitude rounds off its fraction. Unlike `round_ties_even`, this needs
/// no function call on targets without a rounding instruction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to 16-bit numbers first"
)]
#[inline(always)]
pub(crate) fn nearest(steps: f64, [low, high]: [i16; 2]) -> i16 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let clamped = steps.clamp(f64::from(low), f64::from(high));
    ((clamped + SHIFT) - SHIFT) as i16
}

/// The limit of doubt for single-precision results with an error of up to `error` steps: a result further from its
/// rounded value may be rounded wrongly. The limit is negative, so that every result is doubted, when no result can be
/// trusted.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the error accounts for rounding to single precision"
)]
pub(crate) fn doubt(error: f64) -> f32 {
    (0.5 - error).max(-1.0) as f32
}

/// Memory that receives codes. A closure would not do: unless inlined, it is compiled for the baseline instruction set.
pub(crate) trait Store {
    /// Writes the codes of the `p`-th pixel.
    fn codes<L: Lanes>(&self, p: usize, codes: L::Codes);
}

/// The requantization of one block of sixteen channels.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    constants: Constants<'a>,
    requantize: &'a Requantize,
    index: usize,
    factor: i32,
}

impl Block<'_> {
    /// Writes the codes of each of `sums` to `store`, equal to [`Requantize::code`].
    ///
    /// All codes are written first in single precision. If any of them may be wrong, all are written a second time.
    #[inline(always)]
    pub(crate) fn each<L: Lanes, const P: usize>(&self, sums: [L; P], store: &impl Store) {
        let mut away = L::no_away();
        for (p, sum) in sums.iter().enumerate() {
            store.codes::<L>(p, sum.requantize(self.constants, &mut away));
        }
        if L::doubtful(away, self.constants) {
            for (p, sum) in sums.iter().enumerate() {
                store.codes::<L>(p, self.codes(*sum));
            }
        }
    }

    /// The codes of `sums`, equal to [`Requantize::code`].
    #[inline(always)]
    pub(crate) fn codes<L: Lanes>(&self, sums: L) -> L::Codes {
        let mut away = L::no_away();
        let codes = sums.requantize(self.constants, &mut away);
        if L::doubtful(away, self.constants) {
            let sums = sums.to_array();
            return L::codes(self.requantize.exact(self.index, sums, self.factor));
        }
        codes
    }
}

impl Vectors {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "constants for vectors are in single precision"
    )]
    fn new(multiplier: &[f64], offset: &[f64], clamp: [i16; 2]) -> Self {
        // At most five roundings of 2^-24 each (multiplier, sum, product, offset, result), of terms that are smaller
        // than the result plus the offset. So the error is at most 2^-22 of both, plus 1 % for second-order terms. Only
        // results within the clamp, below 256, matter.
        let error = |offset: f64| 1.01 * (256.0 + offset.abs()) * 2.0_f64.powi(-22);
        let doubts: Vec<f64> = offset.iter().map(|&o| f64::from(doubt(error(o)))).collect();
        let pack = |values: &[f64]| {
            values
                .chunks(LANES)
                .map(|block| ORDER.map(|channel| block.get(channel).map_or(0.0, |&v| v as f32)))
                .collect()
        };
        Self {
            multiplier: pack(multiplier),
            offset: pack(offset),
            doubt: pack(&doubts),
            ends: Ends::new(clamp),
        }
    }
}

#[cfg(test)]
mod tests;
