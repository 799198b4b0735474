//! Problems that cannot be met, extreme problems, and invalid problems.

use super::*;
use crate::MAX_NEWTON_CLASSES;

#[test]
fn unreachable_target_ends_with_reason() {
    let check_stop = |scores: Scores<'_>, target: &[f64], expect: Stop| {
        let solution = check(
            &Problem {
                scores,
                sample_weights: None,
                target,
            },
            &Options::default(),
        );
        assert_eq!(solution.stop, expect, "{solution:?}");
        solution
    };
    // Two classes with the same weight: under any offsets, one of them gets both shares.
    let z = sphere_samples(3_000, 3, 1);
    let twins = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0];
    let solution = check_stop(
        Scores::product(&z, &twins, 3, 16.0).unwrap(),
        &[0.3, 0.3, 0.4],
        Stop::EqualClasses,
    );
    // If only the third class is met, each twin leaves a chi-square of 0.3.
    assert!(solution.chi_square < 0.61, "{solution:?}");
    // A point that is repeated a thousand times goes to one class.
    let points = [0.3, -0.2].repeat(1_000);
    check_stop(
        Scores::matrix(&points, 2).unwrap(),
        &[0.5, 0.5],
        Stop::IterationLimit,
    );
    // All scores are equal.
    check_stop(
        Scores::matrix(&[7.0; 400], 4).unwrap(),
        &[0.25; 4],
        Stop::EqualClasses,
    );
    // Three samples for two classes of one half each.
    let solution = check_stop(
        Scores::matrix(&[0.0, 1.0, 0.0, 2.0, 0.0, 3.0], 2).unwrap(),
        &[0.5, 0.5],
        Stop::SampleFloor,
    );
    assert!((solution.sample_floor - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(solution.stop.to_string(), "sample floor");
}

#[test]
fn heavy_sample_and_tiny_masses_stay_finite() {
    let (z, w) = cosine(2_000, 5, 6, 3);
    let scores = Scores::product(&z, &w, 6, 16.0).unwrap();
    let mut weights = vec![1.0; 2_000];
    weights[17] = 1e9;
    let target = [0.2; 5];
    let heavy = check(
        &Problem {
            scores,
            sample_weights: Some(&weights),
            target: &target,
        },
        &Options::default(),
    );
    assert_eq!(heavy.stop, Stop::SampleFloor, "{heavy:?}");
    assert!(heavy.sample_floor > 4.9);
    for tiny in [1e-5, 1e-12, 1e-100, f64::MIN_POSITIVE] {
        let target = [tiny, 0.3, 0.3, 0.4 - tiny, tiny];
        let target = [target[0], target[1], target[2], target[3] - tiny, target[4]];
        let problem = Problem {
            scores,
            sample_weights: None,
            target: &target,
        };
        check(&problem, &Options::default());
        check(
            &problem,
            &Options {
                chi_square: 0.0,
                max_iterations: 60,
                ..Options::default()
            },
        );
    }
}

#[test]
fn scores_of_any_size_are_solved() {
    let target = skewed(4, 0.3);
    for size in [1e-30, 1e-3, 1e6, 1e30] {
        let values: Vec<f32> = noise(8_000, size, 6)
            .iter()
            .map(|&x| crate::row::narrow(x))
            .collect();
        let scores = Scores::matrix(&values, 4).unwrap();
        let solution = check(
            &Problem {
                scores,
                sample_weights: None,
                target: &target,
            },
            &Options::default(),
        );
        assert_eq!(solution.stop, Stop::Converged, "{size}: {solution:?}");
    }
}

#[test]
fn one_class_and_zero_iterations_are_accepted() {
    let one = Problem {
        scores: Scores::matrix(&[1.0, -2.0, 3.0], 1).unwrap(),
        sample_weights: None,
        target: &[1.0],
    };
    let solution = check(&one, &Options::default());
    assert_eq!(
        (solution.stop, solution.iterations, solution.offsets),
        (Stop::Converged, 0, vec![0.0])
    );
    let (z, w) = cosine(1_000, 8, 6, 3);
    let target = skewed(8, 0.01);
    let problem = Problem {
        scores: Scores::product(&z, &w, 6, 16.0).unwrap(),
        sample_weights: None,
        target: &target,
    };
    for max_iterations in [0, 1, 2] {
        let solution = check(
            &problem,
            &Options {
                max_iterations,
                chi_square: 1e-9,
                ..Options::default()
            },
        );
        assert_eq!(
            (solution.iterations, solution.stop.to_string().as_str()),
            (max_iterations, "iteration limit")
        );
    }
}

#[test]
fn bad_problems_are_refused() {
    let scores = Scores::matrix(&[0.0; 6], 3).unwrap();
    let problem = Problem {
        scores,
        sample_weights: None,
        target: &[0.2, 0.3, 0.5],
    };
    let message =
        |problem: Problem<'_>, options: Options| solve(&problem, &options).unwrap_err().to_string();
    let warm = |warm: &[f64]| Options {
        warm_start: Some(warm.to_vec()),
        ..Options::default()
    };
    assert_eq!(
        message(problem, warm(&[0.0; 2])),
        "warm start have 2 values, expected 3"
    );
    assert_eq!(
        message(problem, warm(&[0.0, f64::INFINITY, 0.0])),
        "warm start of class 1 is inf, expected a finite f32"
    );
    let short = Problem {
        target: &[0.5, 0.5],
        ..problem
    };
    assert_eq!(
        message(short, Options::default()),
        "target masses have 2 values, expected 3"
    );
    let heavy = Problem {
        sample_weights: Some(&[1.0, f64::NAN]),
        ..problem
    };
    assert!(message(heavy, Options::default()).starts_with("sample weight of row 1 is NaN"));
    assert_eq!(
        message(
            problem,
            Options {
                epsilon_factor: 0.0,
                ..Options::default()
            }
        ),
        "epsilon_factor is 0, expected 0.01 to 0.9"
    );
    let many = vec![0.0; MAX_NEWTON_CLASSES + 1];
    let many = Problem {
        scores: Scores::matrix(&many, MAX_NEWTON_CLASSES + 1).unwrap(),
        ..problem
    };
    let newton = Options {
        method: Method::Newton,
        ..Options::default()
    };
    assert_eq!(
        message(many, newton),
        "513 classes are more than the method `newton` takes (512): its matrices hold classes x classes values. \
         `newton-cg` has no limit"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, rng_seed: RngSeed::Fixed(20_264), ..ProptestConfig::default() })]

    /// Repeated points, weights on a line or equal, samples without weight, masses down to 1e-9: the solver returns a
    /// result or a reason in a bounded number of steps, and never NaN.
    #[test]
    fn degenerate_problems_end(
        n in 1_usize..300, classes in 1_usize..150, dim in 1_usize..6, seed in 0_u64..1_000, kind in 0_usize..6,
        log_scale in -8.0..8.0_f32, log_rare in -20.0..0.0_f64, method in 0_usize..4, epsilon in proptest::option::of(-4.0..4.0_f64),
    ) {
        let (mut z, mut w) = cosine(n, classes, dim, seed);
        let mut weights: Vec<f64> = vec![1.0; n];
        match kind {
            0 => z = z[..dim].repeat(n),
            1 => w = w[..dim].repeat(classes),
            2 => for (class, row) in w.chunks_exact_mut(dim).enumerate() {
                row.fill(class as f32);
            },
            3 => weights.iter_mut().skip(1).step_by(2).for_each(|weight| *weight = 0.0),
            4 => weights[n / 2] = 1e12,
            _ => {}
        }
        let target = skewed(classes, log_rare.exp());
        let options = Options {
            method: [Method::Auto, Method::Newton, Method::NewtonCg, Method::Averaged][method],
            max_iterations: 60,
            ..Options::default()
        };
        let problem = Problem {
            scores: Scores::product(&z, &w, dim, log_scale.exp()).unwrap(),
            sample_weights: Some(&weights),
            target: &target,
        };
        let solution = solve(&problem, &options).unwrap();
        prop_assert!(solution.iterations <= 60 + 1);
        prop_assert!(solution.chi_square.is_finite() && solution.offsets.iter().all(|h| h.is_finite()));
        if solution.stop != Stop::EqualClasses {
            check(&problem, &options);
        }
        if let Some(log_epsilon) = epsilon {
            let soft = Options { masses: Masses::Soft { epsilon: log_epsilon.exp() }, ..options };
            let solution = solve(&problem, &soft).unwrap();
            prop_assert!(solution.chi_square.is_finite() && solution.iterations <= 60, "{solution:?}");
            prop_assert!(solution.offsets.iter().chain(&solution.mass).all(|x| x.is_finite()));
        }
    }
}
