//! One pass over the sample: fixed blocks of rows in fixed shards, whose sums are added in order.
//!
//! Blocks and shards depend only on the shape, so the bits of a sum do not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::blocks::{Blocks, MAX_SHARDS, block_rows};
use crate::graph::{Kept, Worth};
use crate::problem::SampleWeights;
use crate::row::{exact_numerators, shift};
use crate::shard::Shard;
use crate::visit::{GROUP, HardBlock, SoftBlock, hard_block, soft_block};
use crate::{Scores, SolveError};

/// A weighted sample with buffers for repeated passes.
pub(crate) struct Sample<'a> {
    blocks: Blocks<'a>,
    classes: usize,
    rows: usize,
    pub(crate) weights: SampleWeights,
    shards: Vec<Shard>,
    /// Number of rows visited so far.
    pub(crate) walked: u64,
}

/// The sums of a pass.
#[derive(Debug)]
pub(crate) struct CellSums {
    /// Mean of the (soft) maximum of `s + h`.
    pub(crate) energy: f64,
    /// Mean softmax, `[C]`; zeros after a hard pass.
    pub(crate) soft: Vec<f64>,
    /// Hard cell masses, `[C]`.
    pub(crate) hard: Vec<f64>,
    /// The kept probabilities, if requested.
    pub(crate) kept: Option<Kept>,
}

impl<'a> Sample<'a> {
    /// A product of at most `keep` scores is computed once, a larger one in every pass.
    pub(crate) fn new(
        scores: &Scores<'a>,
        keep: usize,
        weights: Option<&[f64]>,
    ) -> Result<Self, SolveError> {
        let weights = SampleWeights::new(weights, scores.rows())?;
        Ok(Self::every(1, scores, keep, weights))
    }

    /// The rows 0, `stride`, 2 `stride` and so on of a sample, as a sample; `weights` has a weight for every row of the
    /// sample.
    pub(crate) fn every(
        stride: usize,
        scores: &Scores<'a>,
        keep: usize,
        weights: SampleWeights,
    ) -> Self {
        let rows = scores.rows().div_ceil(stride);
        let classes = scores.num_classes();
        let height = block_rows(classes);
        let blocks = rows.div_ceil(height);
        let shards = blocks.min(MAX_SHARDS);
        let start = |shard: usize| (blocks * shard / shards * height).min(rows);
        let shards = (0..shards)
            .map(|s| Shard {
                rows: start(s)..start(s + 1),
                ..Shard::default()
            })
            .collect();
        Self {
            blocks: Blocks::new(scores, stride, keep),
            classes,
            rows,
            weights: weights.every(stride),
            shards,
            walked: 0,
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the soft and hard cells at `offsets` for a temperature `epsilon`, and the probabilities to keep by
    /// `worth`.
    pub(crate) fn soft_cells(
        &mut self,
        offsets: &[f64],
        epsilon: f64,
        worth: Option<&Worth>,
    ) -> CellSums {
        self.some_soft_cells(offsets, epsilon, worth, 1)
    }

    /// Like [`soft_cells`](Self::soft_cells), but as if every `every`-th group of [`GROUP`] rows were the sample; NaN
    /// if these rows have no weight. This saves exponentials, not scores.
    pub(crate) fn some_soft_cells(
        &mut self,
        offsets: &[f64],
        epsilon: f64,
        worth: Option<&Worth>,
        every: usize,
    ) -> CellSums {
        for shard in &mut self.shards {
            shard.kept.clear();
        }
        self.walk(|shard, weights, rows, block| {
            shard.soft_rows.resize(offsets.len() * GROUP, 0.0);
            soft_block(SoftBlock {
                shard,
                weights,
                first: rows.start,
                block,
                offsets,
                epsilon,
                worth,
                every,
            });
        });
        let mut sums = self.cell_sums();
        if every > 1 {
            let weight: f64 = sums.hard.iter().sum();
            sums.energy /= weight;
            let masses = sums.soft.iter_mut().chain(&mut sums.hard);
            masses.for_each(|mass| *mass /= weight);
        }
        if worth.is_some() {
            let shards = self.shards.iter_mut();
            sums.kept = Some(Kept::new(
                shards.map(|s| std::mem::take(&mut s.kept)).collect(),
            ));
        }
        sums
    }

    /// Like [`soft_cells`](Self::soft_cells) with exponentials in double precision; it takes several times as long.
    pub(crate) fn exact_soft_cells(&mut self, offsets: &[f64], epsilon: f64) -> CellSums {
        self.walk(|shard, weights, rows, block| {
            for (row, scores) in rows.zip(block.chunks_exact(offsets.len())) {
                let weight = weights.get(row);
                let (class, max) = shift(scores, offsets, &mut shard.shifted);
                let sum = exact_numerators(&mut shard.shifted, max, 1.0 / epsilon);
                shard.energy += weight * (max + epsilon * sum.ln());
                shard.hard[class] += weight;
                let share = weight / sum;
                for (mass, &e) in shard.soft.iter_mut().zip(&shard.shifted) {
                    *mass += share * e;
                }
            }
        });
        self.cell_sums()
    }

    /// Returns the hard cells at `offsets`; ties go to the lowest class.
    pub(crate) fn hard_cells(&mut self, offsets: &[f64]) -> CellSums {
        self.walk(|shard, weights, rows, block| {
            hard_block(HardBlock {
                shard,
                weights,
                first: rows.start,
                block,
                offsets,
            });
        });
        self.cell_sums()
    }

    /// Returns the standard deviation of the scores over the classes of a row, as a root mean square over the rows.
    ///
    /// A constant added to a row moves no cell and does not count.
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
            ..
        } = self;
        let height = block_rows(*classes);
        shards.par_iter_mut().for_each(|shard| {
            shard.energy = 0.0;
            for sums in [&mut shard.soft, &mut shard.hard, &mut shard.shifted] {
                sums.clear();
                sums.resize(*classes, 0.0);
            }
            let mut buffer = std::mem::take(&mut shard.scores);
            for start in shard.rows.clone().step_by(height) {
                let rows = start..(start + height).min(shard.rows.end);
                visit(shard, weights, rows.clone(), blocks.read(rows, &mut buffer));
            }
            shard.scores = buffer;
        });
        self.walked += self.rows as u64;
    }

    /// The shards of the last pass, in the order in which their sums are added.
    pub(crate) fn shards(&mut self) -> &mut [Shard] {
        &mut self.shards
    }

    fn cell_sums(&self) -> CellSums {
        let classes = self.classes;
        let mut total = CellSums {
            energy: 0.0,
            soft: vec![0.0; classes],
            hard: vec![0.0; classes],
            kept: None,
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

#[cfg(test)]
mod tests;
