use proptest::prelude::*;
use proptest::test_runner::RngSeed;

mod closed_forms;
mod limits;

use super::*;
use crate::testing::{cosine, noise, skewed};
use crate::{Scores, Stop, cell_masses, entropic_energy, sphere_samples};

/// Checks the invariants of every solution, whether or not the target is met.
fn check(problem: &Problem<'_>, options: &Options) -> Solution {
    let solution = solve(problem, options).unwrap();
    let masses = cell_masses(&problem.scores, problem.sample_weights, &solution.offsets).unwrap();
    assert_eq!(solution.mass, masses, "the masses follow from the offsets");
    assert!(solution.offsets.iter().all(|h| h.is_finite()));
    let size = solution
        .offsets
        .iter()
        .fold(1.0, |max: f64, h| max.max(h.abs()));
    assert!(solution.offsets.iter().sum::<f64>().abs() <= 1e-12 * size * masses.len() as f64);
    assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(solution.chi_square.is_finite() && solution.largest_relative_error.is_finite());
    let total: f64 = problem.target.iter().sum();
    let weights: &[f64] = problem.sample_weights.unwrap_or(&[1.0]);
    let all: f64 = match problem.sample_weights {
        Some(weights) => weights.iter().sum(),
        None => problem.scores.rows() as f64,
    };
    let sample = weights.iter().copied().fold(0.0, f64::max) / all;
    let is_near = |(mass, nu): (&f64, &f64)| {
        (mass - nu / total).abs() <= (nu / total * 0.5).max(sample * (1.0 + 1e-9))
    };
    assert_eq!(
        solution.stop == Stop::Converged,
        solution.chi_square <= options.chi_square && masses.iter().zip(problem.target).all(is_near)
    );
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
        // The smallest target is at least a few samples, and no class is further off than a few samples.
        prop_assert!(solution.chi_square <= 1e-2, "{solution:?}");
    }

    #[test]
    fn constant_changes_nothing(classes in 2_usize..20, seed in 0_u64..1_000, constant in -50.0..50.0_f32) {
        let values: Vec<f32> = noise(2_000 * classes, 10.0, seed).iter().map(|&x| crate::row::narrow(x)).collect();
        let moved: Vec<f32> = values.iter().map(|s| s + constant).collect();
        let target = skewed(classes, 0.2);
        let warm = noise(classes, 2.0, seed + 1);
        let warm_moved: Vec<f64> = warm.iter().map(|h| h + f64::from(constant)).collect();
        let offsets = |values: &[f32], warm: &[f64]| {
            let scores = Scores::matrix(values, classes).unwrap();
            let options = Options { warm_start: Some(warm.to_vec()), ..Options::default() };
            check(&Problem { scores, sample_weights: None, target: &target }, &options).offsets
        };
        // The shifted scores are rounded differently, so the solve can take another path to the same tolerance.
        let one = offsets(&values, &warm);
        assert_near(&one, &offsets(&values, &warm_moved), 0.3);
        assert_near(&one, &offsets(&moved, &warm), 0.3);
    }
}

#[test]
fn every_method_meets_the_same_masses() {
    let (z, w) = cosine(20_000, 60, 10, 6);
    let (target, weights) = (skewed(60, 0.05), noise(20_000, 0.5, 4));
    let weights: Vec<f64> = weights.iter().map(|x| 1.0 + x).collect();
    let problem = Problem {
        scores: Scores::product(&z, &w, 10, 16.0).unwrap(),
        sample_weights: Some(&weights),
        target: &target,
    };
    let solve = |method| {
        let options = Options {
            chi_square: 1e-5,
            method,
            ..Options::default()
        };
        let solution = check(&problem, &options);
        assert_eq!(solution.stop, Stop::Converged, "{method:?}");
        solution.offsets
    };
    let one = solve(Method::Newton);
    for method in [Method::NewtonCg, Method::Averaged] {
        assert_near(&solve(method), &one, 0.2);
    }
}

#[test]
fn soft_masses_are_met_to_last_digits() {
    for (classes, method) in [(7, Method::Newton), (150, Method::NewtonCg)] {
        let (z, w) = cosine(4_000, classes, 5, 2);
        let target = skewed(classes, 0.05);
        let problem = Problem {
            scores: Scores::product(&z, &w, 5, 16.0).unwrap(),
            sample_weights: None,
            target: &target,
        };
        let options = Options {
            masses: Masses::Soft { epsilon: 0.7 },
            chi_square: 1e-22,
            method,
            ..Options::default()
        };
        let solution = super::solve(&problem, &options).unwrap();
        assert_eq!(solution.stop, Stop::Converged, "{solution:?}");
        let gradient = entropic_energy(&problem, &solution.offsets, 0.7).unwrap().1;
        let largest = gradient.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
        assert!(largest < 1e-11, "{method:?}: {largest}");
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
fn thread_count_changes_no_bit() {
    let (z, w) = cosine(6_000, 40, 12, 9);
    let target = skewed(40, 0.05);
    let weights: Vec<f64> = noise(6_000, 0.5, 2).iter().map(|x| 1.0 + x).collect();
    let solve_on = |threads: usize, scores: Scores<'_>, method: Method| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let options = Options {
            chi_square: 1e-4,
            method,
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
    for method in [Method::Newton, Method::NewtonCg, Method::Averaged] {
        let solve_on = |threads| Solution {
            // The wall time is the only number that differs between runs.
            seconds: 0.0,
            ..solve_on(threads, product, method)
        };
        let one = solve_on(1);
        assert!(one.rows > 30_000 && one.method == method, "{one:?}");
        same_bits(&one, &[solve_on(2), solve_on(5)]);
    }
}

fn same_bits(one: &Solution, others: &[Solution]) {
    for other in others {
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
fn warm_start_is_used() {
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
