//! Problems shared by several tests.

use crate::pass::Sample;
use crate::search::{Limits, Search};
use crate::walker::Walker;
use crate::{Method, Scores, sphere_samples};

/// Returns masses `[C]` that fall geometrically to `factor` times the first, sum 1.
pub(crate) fn skewed(classes: usize, factor: f64) -> Vec<f64> {
    let steps = (classes.max(2) - 1) as f64;
    let raw: Vec<f64> = (0..classes)
        .map(|j| factor.powf(j as f64 / steps))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

/// Returns features `[n, dim]` and class weights `[C, dim]`, both on the sphere.
pub(crate) fn cosine(n: usize, classes: usize, dim: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    (
        sphere_samples(n, dim, seed),
        sphere_samples(classes, dim, seed + 1_000),
    )
}

/// Returns `[n]` numbers in `[-size, size]`, from the first coordinates of points on a sphere.
pub(crate) fn noise(n: usize, size: f64, seed: u64) -> Vec<f64> {
    sphere_samples(n, 3, seed)
        .chunks_exact(3)
        .map(|point| size * f64::from(point[0]))
        .collect()
}

/// Starts a search from `offsets` on equally weighted samples.
pub(crate) fn search_for<'a>(
    scores: &Scores<'a>,
    target: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
    offsets: Vec<f64>,
) -> Search<'a> {
    let limits = Limits {
        tolerance: Some(tolerance),
        relative: 0.5,
        grain: 0.0,
        floor: 0.0,
        max_iterations,
    };
    let sample = Sample::new(scores, 0, None).unwrap();
    Search::new(
        Walker::Here(sample),
        target,
        limits,
        Method::Newton,
        offsets,
    )
}
