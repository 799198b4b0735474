//! One walk over the sample: fixed blocks of rows, in fixed shards, whose sums are added in order.
//!
//! Blocks and shards depend on the shape alone, so the bits of a sum do not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::blocks::{BLOCK, Blocks};
use crate::exp::exp;
use crate::problem::SampleWeights;
use crate::{Scores, SolveError};

/// Most shards of a walk: the most threads it can use.
const MAX_SHARDS: usize = 16;
/// Values in the `[C, C]` sums of all shards together: 64 MiB.
const MAX_PAIR_SUMS: usize = 1 << 23;

/// A weighted sample with the buffers to walk over it again and again.
pub(crate) struct Sample<'a> {
    blocks: Blocks<'a>,
    classes: usize,
    pub(crate) weights: SampleWeights,
    shards: Vec<Shard>,
}

/// Sums over a stretch of rows, and room to make them.
#[derive(Default)]
pub(crate) struct Shard {
    rows: Range<usize>,
    scores: Vec<f32>,
    /// One row of `s + h`.
    pub(crate) shifted: Vec<f64>,
    /// Rows of softmax numerators or probabilities.
    pub(crate) soft_rows: Vec<f32>,
    pub(crate) energy: f64,
    /// `[C]`.
    pub(crate) soft: Vec<f64>,
    /// `[C]`.
    pub(crate) hard: Vec<f64>,
    /// `[C, C]`, only below the diagonal of a column-major matrix; empty until a Hessian is asked for.
    pub(crate) pairs: Vec<f64>,
    /// A panel of [`pairs`](Self::pairs) of one block.
    pub(crate) panel: Vec<f32>,
}

/// Sums of a walk.
#[derive(Clone, Debug)]
pub(crate) struct CellSums {
    /// Mean of the (soft) maximum of `s + h`.
    pub(crate) energy: f64,
    /// Mean softmax, `[C]`; zeros after a hard walk.
    pub(crate) soft: Vec<f64>,
    /// Hard cell masses, `[C]`.
    pub(crate) hard: Vec<f64>,
}

impl<'a> Sample<'a> {
    /// A product of at most `keep` scores is made once, a larger one in every walk.
    pub(crate) fn new(
        scores: &Scores<'a>,
        keep: usize,
        weights: Option<&[f64]>,
    ) -> Result<Self, SolveError> {
        let weights = SampleWeights::new(weights, scores.rows())?;
        let (classes, blocks) = (scores.num_classes(), scores.rows().div_ceil(BLOCK));
        let room = MAX_PAIR_SUMS / classes.saturating_mul(classes);
        let shards = blocks.min(MAX_SHARDS).min(room.max(1));
        let start = |shard: usize| (blocks * shard / shards * BLOCK).min(scores.rows());
        let shards = (0..shards)
            .map(|s| Shard {
                rows: start(s)..start(s + 1),
                ..Shard::default()
            })
            .collect();
        Ok(Self {
            blocks: Blocks::new(scores, keep),
            classes,
            weights,
            shards,
        })
    }

    /// Soft and hard cells at `offsets` for a temperature `epsilon`.
    pub(crate) fn soft_cells(&mut self, offsets: &[f64], epsilon: f64) -> CellSums {
        let (classes, inverse) = (offsets.len(), 1.0 / epsilon);
        self.walk(|shard, weights, rows, block| {
            shard.soft_rows.resize(classes, 0.0);
            for (row, scores) in rows.zip(block.chunks_exact(classes)) {
                let weight = weights.get(row);
                let (class, max) = shift(scores, offsets, &mut shard.shifted);
                let sum = numerators(
                    &shard.shifted,
                    max,
                    inverse,
                    &mut shard.soft_rows[..classes],
                );
                shard.energy += weight * (max + epsilon * sum.ln());
                shard.hard[class] += weight;
                let share = weight / sum;
                for (mass, &e) in shard.soft.iter_mut().zip(&shard.soft_rows) {
                    *mass += share * f64::from(e);
                }
            }
        });
        self.cell_sums()
    }

    /// Hard cells at `offsets`; ties go to the lowest class.
    pub(crate) fn hard_cells(&mut self, offsets: &[f64]) -> CellSums {
        self.walk(|shard, weights, rows, block| {
            for (row, scores) in rows.zip(block.chunks_exact(offsets.len())) {
                let weight = weights.get(row);
                let (class, max) = shift(scores, offsets, &mut shard.shifted);
                shard.energy += weight * max;
                shard.hard[class] += weight;
            }
        });
        self.cell_sums()
    }

    /// Standard deviation of the scores over the classes of a row, as a root mean square over the rows.
    ///
    /// What is common to a row moves no cell and does not count.
    pub(crate) fn spread(&mut self) -> f64 {
        let classes = self.classes;
        self.walk(|shard, weights, rows, block| {
            for (row, scores) in rows.zip(block.chunks_exact(classes)) {
                let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / classes as f64;
                let variance = scores
                    .iter()
                    .map(|&s| (f64::from(s) - mean).powi(2))
                    .sum::<f64>()
                    / classes as f64;
                shard.energy += weights.get(row) * variance;
            }
        });
        self.cell_sums().energy.sqrt()
    }

    /// Calls `visit` with every block of rows and its scores: shards in parallel, blocks of a shard in order.
    pub(crate) fn walk(
        &mut self,
        visit: impl Fn(&mut Shard, &SampleWeights, Range<usize>, &[f32]) + Sync,
    ) {
        let Self {
            blocks,
            classes,
            weights,
            shards,
        } = self;
        shards.par_iter_mut().for_each(|shard| {
            shard.energy = 0.0;
            for sums in [&mut shard.soft, &mut shard.hard, &mut shard.shifted] {
                sums.clear();
                sums.resize(*classes, 0.0);
            }
            let mut buffer = std::mem::take(&mut shard.scores);
            for start in shard.rows.clone().step_by(BLOCK) {
                let rows = start..(start + BLOCK).min(shard.rows.end);
                visit(shard, weights, rows.clone(), blocks.read(rows, &mut buffer));
            }
            shard.scores = buffer;
        });
    }

    /// The shards of the last walk, in the order in which their sums are to be added.
    pub(crate) fn shards(&mut self) -> &mut [Shard] {
        &mut self.shards
    }

    fn cell_sums(&self) -> CellSums {
        let classes = self.classes;
        let mut total = CellSums {
            energy: 0.0,
            soft: vec![0.0; classes],
            hard: vec![0.0; classes],
        };
        for shard in &self.shards {
            total.energy += shard.energy;
            total
                .soft
                .iter_mut()
                .zip(&shard.soft)
                .for_each(|(sum, part)| *sum += part);
            total
                .hard
                .iter_mut()
                .zip(&shard.hard)
                .for_each(|(sum, part)| *sum += part);
        }
        total
    }
}

/// Fills `shifted` with `s + h` and returns the lowest class of the largest value, and that value.
pub(crate) fn shift(scores: &[f32], offsets: &[f64], shifted: &mut [f64]) -> (usize, f64) {
    for ((sum, &score), &offset) in shifted.iter_mut().zip(scores).zip(offsets) {
        *sum = f64::from(score) + offset;
    }
    // Four running maxima: one alone would wait for itself at every class.
    let mut lanes = [f64::NEG_INFINITY; 4];
    let (fours, rest) = shifted.as_chunks::<4>();
    for four in fours {
        lanes
            .iter_mut()
            .zip(four)
            .for_each(|(max, &sum)| *max = if sum > *max { sum } else { *max });
    }
    let max = lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    (shifted.iter().position(|&sum| sum >= max).unwrap_or(0), max)
}

/// Fills `out` with `exp((shifted - max) / epsilon)` and returns the sum.
pub(crate) fn numerators(shifted: &[f64], max: f64, inverse_epsilon: f64, out: &mut [f32]) -> f64 {
    for (e, &sum) in out.iter_mut().zip(shifted) {
        *e = exp(narrow((sum - max) * inverse_epsilon));
    }
    let mut lanes = [0.0_f32; 8];
    let (eights, rest) = out.as_chunks::<8>();
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(sum, e)| *sum += e);
    }
    lanes.iter().chain(rest).map(|&e| f64::from(e)).sum()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "f32 is the precision of probabilities; too large becomes infinite"
)]
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}
