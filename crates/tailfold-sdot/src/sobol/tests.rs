use super::*;
use crate::sphere_samples;

/// Returns the root mean square error of the mean of `f` over `n` points, over 24 seeds.
fn error(
    points: impl Fn(usize, usize, u64) -> Vec<f32>,
    n: usize,
    dim: usize,
    (f, expected): (impl Fn(&[f32]) -> f64, f64),
) -> f64 {
    let squares = (0..24).map(|seed| {
        let points = points(n, dim, seed);
        let mean = points.chunks_exact(dim).map(&f).sum::<f64>() / n as f64;
        (mean - expected).powi(2)
    });
    (squares.sum::<f64>() / 24.0).sqrt()
}

/// Returns the ratio of the error of Gaussian points to the error of Sobol points.
fn gain(n: usize, dim: usize, integrand: (impl Fn(&[f32]) -> f64 + Copy, f64)) -> f64 {
    let gaussian = error(sphere_samples, n, dim, integrand);
    let sobol = error(sobol_sphere, n, dim, integrand);
    println!(
        "n {n}, dim {dim}: Gaussian {gaussian:.2e}, Sobol {sobol:.2e}, {:.1} times",
        gaussian / sobol
    );
    gaussian / sobol
}

#[test]
fn points_lie_on_sphere_repeat_and_grow() {
    // The points span more than one block.
    let points = sobol_sphere(BLOCK + 100, 3, 11);
    for point in points.chunks_exact(3) {
        assert!((point.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);
    }
    for n in [1, 7, 4_096, BLOCK, BLOCK + 1] {
        assert_eq!(sobol_sphere(n, 3, 11), points[..3 * n], "{n} points");
    }
    assert_ne!(sobol_sphere(7, 3, 12), points[..21]);
    // The second block does not repeat the first.
    assert_ne!(points[3 * BLOCK..], points[..300]);
    assert!(sobol_sphere(0, 3, 1).is_empty());
}

#[test]
fn moments_match_sphere() {
    // E x_i = 0, E x_i x_j = delta_ij / d, and E x_i^4 = 3 / (d (d + 2)), in units of their independent standard
    // errors.
    for dim in [2, 64, 200] {
        let (n, d) = (4_096, dim as f64);
        let points = sobol_sphere(n, dim, 5);
        let mean =
            |f: &dyn Fn(&[f32]) -> f64| points.chunks_exact(dim).map(f).sum::<f64>() / n as f64;
        let error = 1.0 / (n as f64).sqrt();
        for (i, j) in [(0, 1), (dim - 2, dim - 1), (dim / 2, 0)] {
            let [x, y] = [i, j].map(|i| move |p: &[f32]| f64::from(p[i]));
            let first = mean(&x).abs() * d.sqrt();
            assert!(first < 4.0 * error, "dim {dim}: mean of {i} is {first}");
            let mixed = mean(&|p| x(p) * y(p)).abs() * d;
            assert!(mixed < 4.0 * error, "dim {dim}: moment {i}, {j} is {mixed}");
            let square = (mean(&|p| x(p).powi(2)) * d - 1.0).abs();
            assert!(square < 6.0 * error, "dim {dim}: square of {i}, {square}");
            let fourth = (mean(&|p| x(p).powi(4)) * d * (d + 2.0) / 3.0 - 1.0).abs();
            assert!(fourth < 14.0 * error, "dim {dim}: fourth of {i}, {fourth}");
        }
    }
}

#[test]
fn one_dimension_has_two_points_of_equal_masses() {
    let points = sobol_sphere(1_024, 1, 3);
    assert!(
        points
            .iter()
            .all(|x| x.abs().to_bits() == 1.0_f32.to_bits())
    );
    assert_eq!(points.iter().filter(|x| x.is_sign_positive()).count(), 512);
}

#[test]
fn smooth_mean_is_closer_than_with_gaussian_points() {
    // E exp(x_0) over the sphere of R^3, where x_0 is uniform.
    let smooth = (|p: &[f32]| f64::from(p[0]).exp(), 1.0_f64.sinh());
    assert!(gain(4_096, 3, smooth) > 10.0);
    let square = (|p: &[f32]| f64::from(p[0] + p[1]).powi(2), 2.0 / 64.0);
    assert!(gain(4_096, 64, square) > 2.0);
}

#[test]
fn cell_masses_are_closer_than_with_gaussian_points() {
    // By Archimedes, a cap of the sphere of R^3 has the mass (1 - t) / 2 for any axis.
    let axis = |p: &[f32]| (2.0 * p[0] + 2.0 * p[1] + p[2]) / 3.0;
    let cap = (move |p: &[f32]| f64::from(u8::from(axis(p) > 0.8)), 0.1);
    assert!(gain(4_096, 3, cap) > 3.0);
    // A cell between two oblique planes, and a half space whose plane involves all coordinates. The gain for the half
    // space fades with the dimension.
    for (dim, least) in [(64, 1.3), (200, 0.8)] {
        let quarter = |p: &[f32]| f64::from(u8::from(p[0] > p[1] && p[2] > p[3]));
        assert!(gain(4_096, dim, (quarter, 0.25)) > 2.0, "dim {dim}");
        let half = |p: &[f32]| f64::from(u8::from(p.iter().sum::<f32>() > 0.0));
        assert!(gain(4_096, dim, (half, 0.5)) > least, "dim {dim}");
    }
}

#[test]
fn independent_blocks_average_out() {
    // Four scramblings have half the error of one, up to the spread of 24 seeds.
    let cap = (|p: &[f32]| f64::from(u8::from(p[0] > 0.8)), 0.1);
    let [one, four] = [1, 4].map(|blocks| error(sobol_sphere, blocks * BLOCK, 3, cap));
    assert!(four < 0.8 * one, "{one:.2e}, {four:.2e}");
}
