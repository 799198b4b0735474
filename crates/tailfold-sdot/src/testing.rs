//! Problems that several tests pose.

use crate::sphere_samples;

/// `[C]` masses proportional to `factor^(j / (C - 1))`, sum 1: `factor` is the last mass over the first.
pub(crate) fn skewed(classes: usize, factor: f64) -> Vec<f64> {
    let raw: Vec<f64> = (0..classes)
        .map(|j| factor.powf(j as f64 / (classes.max(2) - 1) as f64))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

/// Features `[n, dim]` and class weights `[C, dim]`, both on the sphere.
pub(crate) fn cosine(n: usize, classes: usize, dim: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    (
        sphere_samples(n, dim, seed),
        sphere_samples(classes, dim, seed + 1_000),
    )
}
