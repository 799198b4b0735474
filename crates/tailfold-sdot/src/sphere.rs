//! Uniform random points on the unit sphere from a fixed seed.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Returns `n` points on the unit sphere of `R^dim`, `[n, dim]` row-major: normalized Gaussians from ChaCha8.
///
/// The same arguments give the same points, and the first `m` points are the same for every `n >= m`.
pub fn sphere_samples(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut points = Vec::with_capacity(n.saturating_mul(dim));
    let mut gaussians = vec![0.0_f64; dim.next_multiple_of(2)];
    for _ in 0..if dim == 0 { 0 } else { n } {
        let norm = loop {
            for pair in gaussians.chunks_exact_mut(2) {
                pair.copy_from_slice(&gaussian_pair(&mut rng));
            }
            let norm = gaussians[..dim].iter().map(|x| x * x).sum::<f64>().sqrt();
            // In one dimension a draw of exactly zero has no direction.
            if norm > 1e-12 {
                break norm;
            }
        };
        points.extend(gaussians[..dim].iter().map(|x| narrow(x / norm)));
    }
    points
}

/// Returns two independent standard Gaussians (Box and Muller).
fn gaussian_pair(rng: &mut ChaCha8Rng) -> [f64; 2] {
    let [u, v] = [uniform(rng), uniform(rng)];
    let radius = (-2.0 * (1.0 - u).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
    [radius * cos, radius * sin]
}

/// Returns 53 random bits as a number in `[0, 1)`.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a coordinate in [-1, 1], rounded to the scores' precision"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_on_sphere_and_repeat() {
        let points = sphere_samples(2_000, 5, 11);
        assert_eq!(points.len(), 10_000);
        for point in points.chunks_exact(5) {
            assert!((point.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert_eq!(sphere_samples(7, 5, 11), points[..35]);
        assert_ne!(sphere_samples(7, 5, 12), points[..35]);
        assert!(sphere_samples(3, 0, 1).is_empty() && sphere_samples(0, 3, 1).is_empty());
    }

    #[test]
    fn moments_match_sphere() {
        // E x_i = 0 and E x_i x_j = delta_ij / d; each mean of 20,000 terms has a standard error below 0.004.
        let points = sphere_samples(20_000, 3, 5);
        for i in 0..3 {
            let mean = points.chunks_exact(3).map(|p| f64::from(p[i])).sum::<f64>() / 20_000.0;
            assert!(mean.abs() < 0.016, "mean of coordinate {i} is {mean}");
            for j in 0..3 {
                let moment = points
                    .chunks_exact(3)
                    .map(|p| f64::from(p[i] * p[j]))
                    .sum::<f64>()
                    / 20_000.0;
                let expected = if i == j { 1.0 / 3.0 } else { 0.0 };
                assert!(
                    (moment - expected).abs() < 0.016,
                    "moment {i}, {j} is {moment}"
                );
            }
        }
    }

    #[test]
    fn one_dimension_has_two_points() {
        let points = sphere_samples(1_000, 1, 3);
        assert!(
            points
                .iter()
                .all(|x| x.abs().to_bits() == 1.0_f32.to_bits())
        );
        let right = points.iter().filter(|x| x.is_sign_positive()).count();
        assert!(
            (400..600).contains(&right),
            "{right} of 1,000 points on the right"
        );
    }
}
