use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::testing::{cosine, skewed};
use crate::{Masses, Options, Problem, Scores, Stop, entropic_energy, solve};

fn soft(epsilon: f64) -> Options {
    Options {
        masses: Masses::Soft { epsilon },
        chi_square: 1e-8,
        ..Options::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(20_261), ..ProptestConfig::default() })]

    #[test]
    fn energy_is_stationary_at_solution(
        classes in 2_usize..40, dim in 3_usize..20, seed in 0_u64..1_000, log_skew in -6.0..0.0_f64, log_epsilon in -3.0..2.0_f64,
    ) {
        let epsilon = log_epsilon.exp();
        let (z, w) = cosine(3_000, classes, dim, seed);
        let scores = Scores::product(&z, &w, dim, 16.0).unwrap();
        let target = skewed(classes, log_skew.exp());
        let problem = Problem { scores, sample_weights: None, target: &target };
        let solution = solve(&problem, &soft(epsilon)).unwrap();
        prop_assert_eq!(solution.stop, Stop::Converged, "{:?}", solution);
        let (_, gradient) = entropic_energy(&problem, &solution.offsets, epsilon).unwrap();
        for (class, (g, nu)) in gradient.iter().zip(&target).enumerate() {
            // A chi-square of 1e-8 allows a relative error of sqrt(1e-8 / nu) in a class.
            prop_assert!(g.abs() <= (1e-8 * nu).sqrt() * 1.01, "class {class}: {g}");
        }
        prop_assert!(solution.offsets.iter().sum::<f64>().abs() < 1e-9);
        // A solve from the solution makes no steps.
        let again = Options { warm_start: Some(solution.offsets.clone()), ..soft(epsilon) };
        prop_assert_eq!(solve(&problem, &again).unwrap().iterations, 0);
    }
}

#[test]
fn without_scores_offsets_are_the_log_prior() {
    // softmax(h / epsilon) = nu on every sample, so h = epsilon ln nu up to a constant.
    let target = [0.7, 0.2, 0.09, 0.01];
    let values = [0.0; 40];
    let problem = Problem {
        scores: Scores::matrix(&values, 4).unwrap(),
        sample_weights: None,
        target: &target,
    };
    for epsilon in [0.5, 1.0, 3.0] {
        let solution = solve(&problem, &soft(epsilon)).unwrap();
        for (h, nu) in solution.offsets.iter().zip(target) {
            let expected = epsilon * (nu.ln() - target.iter().map(|v| v.ln()).sum::<f64>() / 4.0);
            // A chi-square of 1e-8 allows this error of a class's logarithm.
            let tolerance = epsilon * (1e-8 / nu).sqrt();
            assert!(
                (h - expected).abs() < 2.0 * tolerance,
                "{h} against {expected}"
            );
        }
    }
}

#[test]
fn separable_samples_are_solved() {
    // Each class has its own sample, 1e4 above the other; the target of one class is a thousandth. So the second sample
    // is shared, 0.998 to 0.002: a softmax of 1e4 - (h_0 - h_1) at temperature 1.
    let values = [1e4, 0.0, 0.0, 1e4];
    let problem = Problem {
        scores: Scores::matrix(&values, 2).unwrap(),
        sample_weights: None,
        target: &[0.999, 0.001],
    };
    let solution = solve(&problem, &soft(1.0)).unwrap();
    assert_eq!(solution.stop, Stop::Converged, "{solution:?}");
    let found = solution.offsets[0] - solution.offsets[1];
    let expected = 1e4 + (0.998_f64 / 0.002).ln();
    assert!((found - expected).abs() < 0.1, "{found} against {expected}");
}

#[test]
fn iterations_are_limited() {
    let (z, w) = cosine(2_000, 12, 6, 3);
    let problem = Problem {
        scores: Scores::product(&z, &w, 6, 16.0).unwrap(),
        sample_weights: None,
        target: &skewed(12, 0.01),
    };
    let few = Options {
        max_iterations: 1,
        ..soft(1.0)
    };
    let solution = solve(&problem, &few).unwrap();
    assert_eq!(
        (solution.stop, solution.iterations),
        (Stop::IterationLimit, 1)
    );
    assert!(solution.offsets.iter().all(|h| h.is_finite()));
}
