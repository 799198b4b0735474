//! The work of a pass on one block of scores, compiled for the vector extension of the CPU.

use multiversion::multiversion;

use crate::graph::Worth;
use crate::problem::SampleWeights;
use crate::row::{add_soft, narrow, numerators, shift};
use crate::shard::Shard;

/// Number of rows whose probabilities are added to the masses together.
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
    /// Stride in groups of rows: only every `every`-th group is visited.
    pub(crate) every: usize,
}

/// Runs a [`SoftBlock`].
#[multiversion(targets("x86_64+avx2", "x86_64+avx"))]
pub(crate) fn soft_block(visit: SoftBlock<'_>) {
    let SoftBlock {
        shard,
        weights,
        first,
        block,
        offsets,
        epsilon,
        worth,
        every,
    } = visit;
    let (classes, inverse) = (offsets.len(), 1.0 / epsilon);
    for (group, scores) in block.chunks(classes * GROUP).enumerate() {
        let first = first + group * GROUP;
        if !(first / GROUP).is_multiple_of(every) {
            continue;
        }
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

/// Adds the hard cells of a block of scores, `[rows, C]`; ties go to the lowest class.
pub(crate) struct HardBlock<'a> {
    pub(crate) shard: &'a mut Shard,
    pub(crate) weights: &'a SampleWeights,
    /// The block's first row.
    pub(crate) first: usize,
    pub(crate) block: &'a [f32],
    pub(crate) offsets: &'a [f64],
}

/// Runs a [`HardBlock`].
#[multiversion(targets("x86_64+avx2", "x86_64+avx"))]
pub(crate) fn hard_block(visit: HardBlock<'_>) {
    let rows = visit.block.chunks_exact(visit.offsets.len());
    for (row, scores) in rows.enumerate() {
        let weight = visit.weights.get(visit.first + row);
        let (class, max) = shift(scores, visit.offsets, &mut visit.shard.shifted);
        visit.shard.energy += weight * max;
        visit.shard.hard[class] += weight;
    }
}

/// Computes the probabilities of a block of scores, `[rows, C]`, multiplied by the square root of the row's weight and
/// without values below a floor; returns the number of remaining pairs of classes.
pub(crate) struct EdgeBlock<'a> {
    pub(crate) shard: &'a mut Shard,
    pub(crate) weights: &'a SampleWeights,
    /// The block's first row.
    pub(crate) first: usize,
    pub(crate) block: &'a [f32],
    pub(crate) offsets: &'a [f64],
    pub(crate) epsilon: f64,
    /// Smallest kept probability of each class, `[C]`.
    pub(crate) floor: &'a [f32],
}

/// Runs an [`EdgeBlock`].
#[multiversion(targets("x86_64+avx2", "x86_64+avx"))]
pub(crate) fn edge_block(visit: EdgeBlock<'_>) -> usize {
    let EdgeBlock { shard, block, .. } = visit;
    let (classes, inverse) = (visit.offsets.len(), 1.0 / visit.epsilon);
    let mut pairs = 0;
    let lines = block
        .chunks_exact(classes)
        .zip(shard.soft_rows.chunks_exact_mut(classes));
    for (row, (scores, p)) in lines.enumerate() {
        let weight = visit.weights.get(visit.first + row);
        let (_, max) = shift(scores, visit.offsets, &mut shard.shifted);
        let sum = numerators(&shard.shifted, max, inverse, p);
        let (share, root) = (narrow(1.0 / sum), narrow(weight.sqrt()));
        let mut kept = 0_u32;
        for (e, &floor) in p.iter_mut().zip(visit.floor) {
            let probability = *e * share;
            let keep = probability > floor;
            *e = if keep { probability * root } else { 0.0 };
            kept += u32::from(keep);
        }
        pairs += kept as usize * kept as usize;
    }
    pairs
}
