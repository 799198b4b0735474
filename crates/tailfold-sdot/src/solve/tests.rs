use proptest::prelude::*;
use proptest::test_runner::RngSeed;

mod closed_forms;
mod limits;

use super::*;
use crate::testing::{cosine, noise, skewed};
use crate::{Scores, Stop, cell_masses, sphere_samples};

/// What must hold for every solution, met or not.
fn check(problem: &Problem<'_>, options: &Options) -> Solution {
    let solution = solve(problem, options).unwrap();
    let masses = cell_masses(&problem.scores, problem.sample_weights, &solution.offsets).unwrap();
    assert_eq!(solution.mass, masses, "the masses are those of the offsets");
    assert!(solution.offsets.iter().all(|h| h.is_finite()));
    let size = solution
        .offsets
        .iter()
        .fold(1.0, |max: f64, h| max.max(h.abs()));
    assert!(solution.offsets.iter().sum::<f64>().abs() <= 1e-12 * size * masses.len() as f64);
    assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(solution.chi_square.is_finite() && solution.largest_relative_error.is_finite());
    let total: f64 = problem.target.iter().sum();
    let rarest = problem.target.iter().copied().fold(f64::INFINITY, f64::min) / total;
    assert_eq!(
        solution.stop == Stop::Converged,
        solution.chi_square <= options.chi_square.min(rarest * LARGEST_RELATIVE.powi(2))
    );
    if solution.stop == Stop::Converged {
        assert!(solution.largest_relative_error <= LARGEST_RELATIVE);
    }
    assert!(solution.iterations <= options.max_iterations);
    solution
}

fn assert_near(a: &[f64], b: &[f64], tolerance: f64) {
    for (class, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            (a - b).abs() <= tolerance,
            "class {class}: {a} against {b}, tolerance {tolerance}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(20_251), ..ProptestConfig::default() })]

    #[test]
    fn masses_are_met(classes in 2_usize..40, dim in 3_usize..20, seed in 0_u64..1_000, log_skew in -4.0..0.0_f64) {
        let (z, w) = cosine(100 * classes, classes, dim, seed);
        let scores = Scores::product(&z, &w, dim, 16.0).unwrap();
        let target = skewed(classes, log_skew.exp());
        let solution = check(&Problem { scores, sample_weights: None, target: &target }, &Options::default());
        prop_assert!(solution.stop != Stop::IterationLimit, "{solution:?}");
        // The smallest target is a few samples at least; no class is further off than a few samples.
        prop_assert!(solution.chi_square <= 1e-2, "{solution:?}");
    }

    #[test]
    fn a_constant_changes_nothing(classes in 2_usize..20, seed in 0_u64..1_000, constant in -50.0..50.0_f32) {
        let values: Vec<f32> = noise(2_000 * classes, 10.0, seed).iter().map(|&x| crate::pass::narrow(x)).collect();
        let moved: Vec<f32> = values.iter().map(|s| s + constant).collect();
        let target = skewed(classes, 0.2);
        let warm = noise(classes, 2.0, seed + 1);
        let warm_moved: Vec<f64> = warm.iter().map(|h| h + f64::from(constant)).collect();
        let offsets = |values: &[f32], warm: &[f64]| {
            let scores = Scores::matrix(values, classes).unwrap();
            let options = Options { warm_start: Some(warm.to_vec()), ..Options::default() };
            check(&Problem { scores, sample_weights: None, target: &target }, &options).offsets
        };
        // The moved scores are rounded anew, which can take another path to the same tolerance.
        let one = offsets(&values, &warm);
        assert_near(&one, &offsets(&values, &warm_moved), 0.3);
        assert_near(&one, &offsets(&moved, &warm), 0.3);
    }
}

#[test]
fn five_hundred_skewed_classes_are_met() {
    let (z, w) = cosine(10_000, 500, 32, 5);
    let target = skewed(500, 0.1);
    let scores = Scores::product(&z, &w, 32, 16.0).unwrap();
    let solution = check(
        &Problem {
            scores,
            sample_weights: None,
            target: &target,
        },
        &Options::default(),
    );
    assert_ne!(solution.stop, Stop::IterationLimit, "{solution:?}");
    assert!(solution.chi_square < 5e-3, "{solution:?}");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (z, w) = cosine(6_000, 40, 12, 9);
    let target = skewed(40, 0.05);
    let weights: Vec<f64> = noise(6_000, 0.5, 2).iter().map(|x| 1.0 + x).collect();
    let solve_on = |threads: usize, scores: Scores<'_>| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let options = Options {
            chi_square: 1e-4,
            ..Options::default()
        };
        pool.install(|| {
            solve(
                &Problem {
                    scores,
                    sample_weights: Some(&weights),
                    target: &target,
                },
                &options,
            )
            .unwrap()
        })
    };
    let product = Scores::product(&z, &w, 12, 16.0).unwrap();
    let one = solve_on(1, product);
    assert!(one.iterations > 3);
    for threads in [2, 5] {
        let other = solve_on(threads, product);
        assert_eq!(other, one);
        assert!(
            other
                .offsets
                .iter()
                .zip(&one.offsets)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
}

#[test]
fn a_warm_start_is_taken_up() {
    let (z, w) = cosine(5_000, 20, 16, 4);
    let target = skewed(20, 0.01);
    let problem = Problem {
        scores: Scores::product(&z, &w, 16, 16.0).unwrap(),
        sample_weights: None,
        target: &target,
    };
    let cold = check(&problem, &Options::default());
    assert!(cold.iterations > 0);
    let again = check(
        &problem,
        &Options {
            warm_start: Some(cold.offsets.clone()),
            ..Options::default()
        },
    );
    assert_eq!((again.iterations, &again.mass), (0, &cold.mass));
    let drift: Vec<f32> = w
        .iter()
        .zip(sphere_samples(20, 16, 77))
        .map(|(w, d)| w + 0.1 * d)
        .collect();
    let moved = Problem {
        scores: Scores::product(&z, &drift, 16, 16.0).unwrap(),
        ..problem
    };
    let warm = check(
        &moved,
        &Options {
            warm_start: Some(cold.offsets),
            ..Options::default()
        },
    );
    let cold = check(&moved, &Options::default());
    assert_eq!(warm.stop, Stop::Converged);
    assert!(
        warm.iterations < cold.iterations,
        "{} warm, {} cold",
        warm.iterations,
        cold.iterations
    );
}
