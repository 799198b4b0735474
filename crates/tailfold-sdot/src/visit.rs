//! What a walk does with a block of scores, compiled for each vector unit. They are structures because what a closure does
//! is compiled once, for the least of the units.

use pulp::NullaryFnOnce;

use crate::graph::Worth;
use crate::pass::Shard;
use crate::problem::SampleWeights;
use crate::row::{add_soft, narrow, numerators, shift};

/// Rows whose probabilities are added to the masses together.
pub(crate) const GROUP: usize = 8;

/// Adds the soft and hard cells of a block of scores, `[rows, C]`.
pub(crate) struct SoftBlock<'a> {
    pub(crate) shard: &'a mut Shard,
    pub(crate) weights: &'a SampleWeights,
    /// The block's first row.
    pub(crate) first: usize,
    pub(crate) block: &'a [f32],
    pub(crate) offsets: &'a [f64],
    pub(crate) epsilon: f64,
    pub(crate) worth: Option<&'a Worth>,
}

impl NullaryFnOnce for SoftBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            shard,
            weights,
            first,
            block,
            offsets,
            epsilon,
            worth,
        } = self;
        let (classes, inverse) = (offsets.len(), 1.0 / epsilon);
        for (group, scores) in block.chunks(classes * GROUP).enumerate() {
            let first = first + group * GROUP;
            let mut shares = [0.0; GROUP];
            let lines = scores
                .chunks_exact(classes)
                .zip(shard.soft_rows.chunks_exact_mut(classes));
            for (at, (scores, out)) in lines.enumerate() {
                let weight = weights.get(first + at);
                let (class, max) = shift(scores, offsets, &mut shard.shifted);
                let sum = numerators(&shard.shifted, max, inverse, out);
                shard.energy += weight * (max + epsilon * sum.ln());
                shard.hard[class] += weight;
                shares[at] = weight / sum;
                if let Some(worth) = worth {
                    shard.kept.push(first + at, weight, out, sum, worth);
                }
            }
            let rows = &shard.soft_rows[..scores.len()];
            add_soft(rows, &shares[..scores.len() / classes], &mut shard.soft);
        }
    }
}

/// Adds the hard cells of a block of scores, `[rows, C]`; ties go to the lowest class.
pub(crate) struct HardBlock<'a> {
    pub(crate) shard: &'a mut Shard,
    pub(crate) weights: &'a SampleWeights,
    /// The block's first row.
    pub(crate) first: usize,
    pub(crate) block: &'a [f32],
    pub(crate) offsets: &'a [f64],
}

impl NullaryFnOnce for HardBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let rows = self.block.chunks_exact(self.offsets.len());
        for (row, scores) in rows.enumerate() {
            let weight = self.weights.get(self.first + row);
            let (class, max) = shift(scores, self.offsets, &mut self.shard.shifted);
            self.shard.energy += weight * max;
            self.shard.hard[class] += weight;
        }
    }
}

/// Makes the probabilities of a block of scores, `[rows, C]`, each row times the root of its weight and without those below a
/// floor; says how many pairs of classes are left.
pub(crate) struct EdgeBlock<'a> {
    pub(crate) shard: &'a mut Shard,
    pub(crate) weights: &'a SampleWeights,
    /// The block's first row.
    pub(crate) first: usize,
    pub(crate) block: &'a [f32],
    pub(crate) offsets: &'a [f64],
    pub(crate) epsilon: f64,
    /// `[C]`.
    pub(crate) floor: &'a [f32],
}

impl NullaryFnOnce for EdgeBlock<'_> {
    type Output = usize;

    #[inline(always)]
    fn call(self) -> usize {
        let Self { shard, block, .. } = self;
        let (classes, inverse) = (self.offsets.len(), 1.0 / self.epsilon);
        let mut pairs = 0;
        let lines = block
            .chunks_exact(classes)
            .zip(shard.soft_rows.chunks_exact_mut(classes));
        for (row, (scores, p)) in lines.enumerate() {
            let weight = self.weights.get(self.first + row);
            let (_, max) = shift(scores, self.offsets, &mut shard.shifted);
            let sum = numerators(&shard.shifted, max, inverse, p);
            let (share, root) = (narrow(1.0 / sum), narrow(weight.sqrt()));
            let mut kept = 0_u32;
            for (e, &floor) in p.iter_mut().zip(self.floor) {
                let probability = *e * share;
                let keep = probability > floor;
                *e = if keep { probability * root } else { 0.0 };
                kept += u32::from(keep);
            }
            pairs += kept as usize * kept as usize;
        }
        pairs
    }
}
