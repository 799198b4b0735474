//! The Hessian of the entropic energy as an implicit graph: each sample connects the few classes that share it.
//!
//! A row of probabilities `p` contributes `sum(p) diag(p) - p p^T`. At all but the highest temperatures, nearly all of
//! a row's mass is in a few classes. Only these are kept, so the cost of a product with a vector is proportional to
//! their number.

use rayon::prelude::*;

use crate::blocks::MAX_SHARDS;
use crate::row::narrow;

/// Probabilities above this threshold are kept; for a class with less than the mean mass the threshold is
/// proportionally lower.
const LARGE: f64 = 1e-3;
/// Number of kept rows per class: curvature is a mean, and this many rows estimate it well enough.
pub(crate) const ROWS_A_CLASS: usize = 32;
/// Smallest number of kept rows, for any number of classes.
const MIN_ROWS: usize = 1 << 16;
/// Largest number of kept probabilities of all shards together: 128 MiB.
const MAX_KEPT: usize = 1 << 24;

/// The rule for keeping probabilities.
#[derive(Clone, Debug)]
pub(crate) struct Worth {
    /// Threshold of each class, `[C]`.
    above: Vec<f32>,
    /// Row stride: only every `every`-th row is kept.
    every: usize,
    /// Largest number of probabilities that a shard keeps.
    most: usize,
}

impl Worth {
    /// The rule for a sample of `rows` in which the classes have approximately the masses `mass` `[C]`.
    pub(crate) fn new(mass: &[f64], rows: usize) -> Self {
        let mean = mass.len() as f64;
        let above: Vec<f32> = mass
            .iter()
            .map(|mass| narrow(LARGE * (mass * mean).min(1.0)))
            .collect();
        let wanted = (above.len() * ROWS_A_CLASS).max(MIN_ROWS);
        Self {
            every: (rows / wanted).max(1),
            most: MAX_KEPT / MAX_SHARDS,
            above,
        }
    }
}

/// Rows of probabilities without the small ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptRows {
    /// End of each row.
    ends: Vec<usize>,
    /// Weight of each row.
    weights: Vec<f64>,
    classes: Vec<u32>,
    probabilities: Vec<f32>,
}

impl KeptRows {
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.weights.clear();
        self.classes.clear();
        self.probabilities.clear();
    }

    /// Keeps the probabilities above the thresholds of `worth`, for the row with these `numerators` and their sum
    /// `sum`.
    #[inline(always)]
    pub(crate) fn push(
        &mut self,
        row: usize,
        weight: f64,
        numerators: &[f32],
        sum: f64,
        worth: &Worth,
    ) {
        if !row.is_multiple_of(worth.every) || self.classes.len() + numerators.len() > worth.most {
            return;
        }
        let (sum, share) = (narrow(sum), narrow(1.0 / sum));
        let chunks = numerators.chunks(16).zip(worth.above.chunks(16));
        for (at, (values, above)) in chunks.enumerate() {
            let any = values
                .iter()
                .zip(above)
                .fold(false, |any, (e, above)| any | (*e > above * sum));
            if !any {
                continue;
            }
            for (lane, (&e, above)) in values.iter().zip(above).enumerate() {
                if e > above * sum {
                    self.classes
                        .push(u32::try_from(at * 16 + lane).unwrap_or(u32::MAX));
                    self.probabilities.push(e * share);
                }
            }
        }
        self.ends.push(self.classes.len());
        self.weights.push(weight);
    }

    /// Calls `visit` with the weight, the classes and the probabilities of each row.
    fn each(&self, mut visit: impl FnMut(f64, &[u32], &[f32])) {
        let mut start = 0;
        for (&end, &weight) in self.ends.iter().zip(&self.weights) {
            visit(
                weight,
                &self.classes[start..end],
                &self.probabilities[start..end],
            );
            start = end;
        }
    }
}

/// The rows that a pass kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    shards: Vec<KeptRows>,
    /// One divided by the weight of all kept rows.
    scale: f64,
}

impl Kept {
    pub(crate) fn new(shards: Vec<KeptRows>) -> Self {
        let weight: f64 = shards.iter().flat_map(|shard| &shard.weights).sum();
        let scale = if weight > 0.0 { 1.0 / weight } else { 0.0 };
        Self { shards, scale }
    }

    /// Calls `visit` with a class, a gap and a weight. In a row of another class, the gap is the difference between the
    /// largest `s + h` and this class's; in a row of the class itself, it is the negative margin over the second
    /// largest. Gaps without a kept probability are omitted.
    pub(crate) fn each_gap(&self, epsilon: f64, mut visit: impl FnMut(usize, f64, f64)) {
        for shard in &self.shards {
            shard.each(|weight, classes, p| {
                let largest = |skip: Option<usize>| {
                    let others = (0..p.len()).filter(|&at| Some(at) != skip);
                    others.max_by(|&a, &b| p[a].total_cmp(&p[b]))
                };
                let gap = |a: usize, b: usize| epsilon * (f64::from(p[a]) / f64::from(p[b])).ln();
                let Some(first) = largest(None) else {
                    return;
                };
                for (at, &class) in classes.iter().enumerate() {
                    if at != first {
                        visit(class as usize, gap(first, at), weight);
                    } else if let Some(second) = largest(Some(first)) {
                        visit(class as usize, -gap(first, second), weight);
                    }
                }
            });
        }
    }

    /// Returns the diagonal, `[C]`.
    pub(crate) fn diagonal(&self, classes: usize) -> Vec<f64> {
        self.sum(classes, |rows, out| {
            rows.each(|weight, classes, p| {
                let total: f64 = p.iter().map(|&p| f64::from(p)).sum();
                for (&class, &p) in classes.iter().zip(p) {
                    let p = f64::from(p);
                    out[class as usize] += weight * p * (total - p);
                }
            });
        })
    }

    /// Returns the product with `vector` `[C]`.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.sum(vector.len(), |rows, out| {
            rows.each(|weight, classes, p| {
                let (mut total, mut mean) = (0.0, 0.0);
                for (&class, &p) in classes.iter().zip(p) {
                    total += f64::from(p);
                    mean += f64::from(p) * vector[class as usize];
                }
                for (&class, &p) in classes.iter().zip(p) {
                    let class = class as usize;
                    out[class] += weight * f64::from(p) * (total * vector[class] - mean);
                }
            });
        })
    }

    fn sum(&self, classes: usize, add: impl Fn(&KeptRows, &mut [f64]) + Sync) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = self
            .shards
            .par_iter()
            .map(|rows| {
                let mut part = vec![0.0; classes];
                add(rows, &mut part);
                part
            })
            .collect();
        let mut sum = vec![0.0; classes];
        for part in parts {
            sum.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
        sum.iter_mut().for_each(|value| *value *= self.scale);
        sum
    }
}
