//! Evenly spread points on the unit sphere: a scrambled Sobol sequence mapped through the quantiles of the normal
//! distribution.

use rayon::prelude::*;
use sobol_burley::{NUM_DIMENSIONS, sample_4d};
use statrs::distribution::{ContinuousCDF as _, Normal};

/// Largest number of coordinates of a point.
pub(crate) const MAX_DIM: usize = NUM_DIMENSIONS as usize;

/// Number of points of one sequence; further points belong to another scrambling.
const BLOCK: usize = 1 << 16;

/// Half of the step between two numbers of a sequence: 0, whose quantile is infinite, becomes a midpoint.
const HALF_STEP: f64 = 1.0 / (1 << 24) as f64;

/// Returns `n` points on the unit sphere of `R^dim`, `[n, dim]` row-major, `dim` in `1..=MAX_DIM`.
///
/// The same arguments give the same points on any number of threads, and the first `m` points are the same for every
/// `n >= m`. Each block of 65,536 points is a separate net, Owen-scrambled by the seed (Burley, JCGT 9(4), 2020;
/// directions of Joe and Kuo, 2008); the nets are independent of each other.
pub(crate) fn sobol_sphere(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    debug_assert!((1..=MAX_DIM).contains(&dim), "{dim} dimensions");
    let normal = Normal::standard();
    let mut points = vec![0.0_f32; n * dim];
    points.par_chunks_mut(dim).enumerate().for_each_init(
        || vec![0.0_f64; dim.next_multiple_of(4)],
        |gaussians, (row, point)| {
            let scramble = scramble(seed, row / BLOCK);
            for (set, four) in (0..).zip(gaussians.chunks_exact_mut(4)) {
                let uniforms = sample_4d(narrow_index(row % BLOCK), set, scramble);
                for (gaussian, u) in four.iter_mut().zip(uniforms) {
                    *gaussian = normal.inverse_cdf(f64::from(u) + HALF_STEP);
                }
            }
            // No coordinate is 0, so every point has a direction.
            let norm = gaussians[..dim].iter().map(|x| x * x).sum::<f64>().sqrt();
            for (x, gaussian) in point.iter_mut().zip(&*gaussians) {
                *x = narrow(gaussian / norm);
            }
        },
    );
    points
}

/// Returns the 32-bit seed of a block's scrambling, which looks independent of all other blocks and seeds (SplitMix64).
fn scramble(seed: u64, block: usize) -> u32 {
    let mut x = mixed(seed).wrapping_add(block as u64);
    x = mixed(x);
    (x >> 32) as u32
}

fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[expect(clippy::cast_possible_truncation, reason = "below 65,536")]
fn narrow_index(row: usize) -> u32 {
    row as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a coordinate in [-1, 1], rounded to the scores' precision"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests;
