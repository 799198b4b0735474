//! Entropy observer: the range whose quantized distribution has the least divergence from the observed
//! distribution (Migacz, "8-bit inference with TensorRT", GTC 2017).

use super::Range;
use crate::affine::{Scheme, to_f32};
use crate::histogram::Line;

/// Bins per side: each edge of a bin is a candidate, and the divergence of each candidate reads all of them.
const BINS: usize = 1024;

/// Probability mass of an empty bin in place of 0, as in ONNX Runtime: a divergence from 0 would be infinite.
const SMOOTHING: f64 = 1e-4;

/// Returns the window around 0 with the least [`divergence`]; between equals, the narrowest.
///
/// The window has the same length on both sides, cut off at the outermost values.
pub(super) fn least_divergence(line: &Line, scheme: Scheme) -> Range {
    let mut line = line.coarser(BINS);
    let (zero, end) = (line.zero, line.counts.len());
    // Every range represents zeros exactly. A ReLU produces mostly zeros, and they would dominate the
    // divergence; so their bin gets the count of its neighbour, as in NVIDIA's pytorch-quantization.
    if let Some(&next) = line.counts.get(zero + 1) {
        line.counts[zero] = next;
    }
    let levels = match scheme {
        Scheme::Affine => 256,
        // Magnitudes have the quantized values 0 to 127.
        Scheme::Symmetric => 128,
    };
    let windows = (1..=zero.max(end - zero))
        .map(|half| (zero.saturating_sub(half), (zero + half).min(end)))
        .filter(|(from, to)| to - from >= levels);
    let mut best = (0, end);
    let mut least = f64::INFINITY;
    for (from, to) in windows {
        let found = divergence(&line.counts, from, to, levels);
        if found < least {
            (best, least) = ((from, to), found);
        }
    }
    Range {
        low: to_f32(line.edge(best.0)),
        high: to_f32(line.edge(best.1)),
    }
}

/// Returns the Kullback-Leibler divergence, in nats, between the bins `from..to` averaged in `levels` groups
/// and the bins themselves, whose outermost ones also count all values outside.
pub(super) fn divergence(counts: &[u64], from: usize, to: usize, levels: usize) -> f64 {
    let inside = &counts[from..to];
    let mut reference: Vec<f64> = inside.iter().map(|&n| n as f64).collect();
    let outside = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let n = inside.len();
    reference[0] += outside(&counts[..from]);
    reference[n - 1] += outside(&counts[to..]);
    let mut quantized = vec![0.0; n];
    for level in 0..levels {
        let group = level * n / levels..(level + 1) * n / levels;
        let filled = group.clone().filter(|&i| reference[i] > 0.0);
        let sum: u64 = inside[group.clone()].iter().sum();
        let share = sum as f64 / filled.clone().count().max(1) as f64;
        filled.for_each(|i| quantized[i] = share);
    }
    let (Some(p), Some(q)) = (smoothed(&reference), smoothed(&quantized)) else {
        return f64::INFINITY;
    };
    p.iter().zip(&q).map(|(p, q)| p * (p / q).ln()).sum()
}

/// Returns the distribution of `values`, in which zeros get a small mass taken from the others; `None` when
/// all are 0.
fn smoothed(values: &[f64]) -> Option<Vec<f64>> {
    let zeros = values.iter().filter(|v| **v <= 0.0).count() as f64;
    let others = values.len() as f64 - zeros;
    let taken = SMOOTHING * zeros / others;
    // Values are counts or means of counts over a group, so only a group of thousands of bins could fall
    // below.
    let smooth = values.iter().map(|&v| match v {
        v if v <= 0.0 => SMOOTHING,
        v => (v - taken).max(SMOOTHING),
    });
    let smooth: Vec<f64> = smooth.collect();
    let sum: f64 = smooth.iter().sum();
    (others > 0.0).then(|| smooth.into_iter().map(|v| v / sum).collect())
}
