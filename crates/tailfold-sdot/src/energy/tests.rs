use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::testing::{cosine, noise, skewed};

/// Calls `measure` with a random problem.
fn with_problem(
    n: usize,
    classes: usize,
    dim: usize,
    seed: u64,
    measure: impl FnOnce(&Problem<'_>),
) {
    let (features, weights) = cosine(n, classes, dim, seed);
    let scores = Scores::product(&features, &weights, dim, 8.0).unwrap();
    let sample_weights: Vec<f64> = noise(n, 0.9, seed + 1).iter().map(|x| 1.0 + x).collect();
    let target = skewed(classes, 0.1);
    measure(&Problem {
        scores,
        sample_weights: Some(&sample_weights),
        target: &target,
    });
}

fn mixed(a: &[f64], b: &[f64], part: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + part * (b - a)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(20_251), ..ProptestConfig::default() })]

    #[test]
    fn gradient_matches_central_differences(classes in 1_usize..12, dim in 1_usize..6, seed in 0_u64..1_000, log_eps in -2.0..1.0_f64) {
        let epsilon = log_eps.exp();
        with_problem(600, classes, dim, seed, |problem| {
            let offsets = noise(classes, 3.0, seed + 2);
            let (_, gradient) = entropic_energy(problem, &offsets, epsilon).unwrap();
            for (class, slope) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut moved = offsets.clone();
                    moved[class] += by;
                    entropic_energy(problem, &moved, epsilon).unwrap().0
                };
                // The error of central differences is step^2 / (6 epsilon^2), plus the energy's rounding divided by the
                // step.
                let step = 5e-3 * epsilon;
                let difference = (moved(step) - moved(-step)) / (2.0 * step);
                assert!((difference - slope).abs() < 3e-5, "class {class}: {difference} against {slope}");
            }
            assert!(gradient.iter().sum::<f64>().abs() < 1e-6);
        });
    }

    #[test]
    fn energies_are_convex_along_lines(classes in 2_usize..12, seed in 0_u64..1_000, part in 0.01..0.99_f64) {
        with_problem(400, classes, 4, seed, |problem| {
            let (a, b) = (noise(classes, 20.0, seed + 2), noise(classes, 20.0, seed + 3));
            let between = mixed(&a, &b, part);
            let hard = |h: &[f64]| hard_energy(problem, h).unwrap();
            let soft = |h: &[f64]| entropic_energy(problem, h, 0.5).unwrap().0;
            for energy in [&hard as &dyn Fn(&[f64]) -> f64, &soft] {
                let chord = (1.0 - part) * energy(&a) + part * energy(&b);
                assert!(energy(&between) <= chord + 1e-6, "{} above the chord {chord}", energy(&between));
            }
        });
    }

    #[test]
    fn entropic_energy_is_slightly_above_hard_energy(classes in 1_usize..30, seed in 0_u64..1_000, log_eps in -7.0..2.0_f64) {
        with_problem(300, classes, 4, seed, |problem| {
            let offsets = noise(classes, 5.0, seed + 2);
            let (hard, epsilon) = (hard_energy(problem, &offsets).unwrap(), log_eps.exp());
            let (soft, _) = entropic_energy(problem, &offsets, epsilon).unwrap();
            let most = epsilon * (classes as f64).ln();
            assert!((-1e-6..=most + 1e-6).contains(&(soft - hard)), "{soft} - {hard} with epsilon {epsilon}");
        });
    }
}

#[test]
fn mass_counts_won_rows_and_ties_go_to_lowest_class() {
    let scores = Scores::matrix(
        &[1.0, 2.0, 2.0, 5.0, 5.0, 5.0, 0.0, 0.0, 1.0, 0.0, 9.0, 9.5],
        3,
    )
    .unwrap();
    let check = |weights: Option<&[f64]>, offsets: [f64; 3], expect: [f64; 3]| {
        let masses = cell_masses(&scores, weights, &offsets).unwrap();
        assert!(
            masses
                .iter()
                .zip(expect)
                .all(|(m, e)| (m - e).abs() < 1e-15),
            "{masses:?}, expected {expect:?}"
        );
    };
    check(None, [0.0; 3], [0.25, 0.25, 0.5]);
    check(None, [0.0, 0.5, 0.0], [0.0, 0.75, 0.25]);
    check(None, [9.5, 0.0, 0.0], [1.0, 0.0, 0.0]);
    check(Some(&[0.0, 2.0, 2.0, 4.0]), [0.0; 3], [0.25, 0.0, 0.75]);
}

#[test]
fn vanishing_epsilon_and_huge_offsets_stay_finite() {
    with_problem(50, 4, 3, 1, |problem| {
        for epsilon in [f64::MIN_POSITIVE, 1e-30, 1.0, 1e30] {
            for size in [0.0, 1.0, 3e38] {
                let offsets = [size, -size, size / 2.0, 0.0];
                let (energy, gradient) = entropic_energy(problem, &offsets, epsilon).unwrap();
                assert!(
                    energy.is_finite() && gradient.iter().all(|g| g.abs() <= 1.0),
                    "{epsilon} {size}: {energy}"
                );
            }
        }
    });
}

#[test]
fn bad_arguments_are_named() {
    with_problem(50, 4, 3, 1, |problem| {
        let message = |offsets: &[f64], epsilon| {
            entropic_energy(problem, offsets, epsilon)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(&[0.0; 3], 1.0), "offsets have 3 values, expected 4");
        assert_eq!(
            message(&[0.0; 4], 0.0),
            "epsilon is 0, expected a positive number"
        );
        assert_eq!(
            message(&[0.0; 4], -1.0),
            "epsilon is -1, expected a positive number"
        );
        assert_eq!(
            message(&[0.0; 4], f64::NAN),
            "epsilon is NaN, expected a positive number"
        );
        let nan = [0.0, 0.0, f64::NAN, 0.0];
        assert_eq!(
            hard_energy(problem, &nan).unwrap_err().to_string(),
            "offset of class 2 is NaN, expected a finite f32"
        );
        let short = cell_masses(&problem.scores, Some(&[1.0; 49]), &[0.0; 4]).unwrap_err();
        assert_eq!(
            short.to_string(),
            "sample weights have 49 values, expected 50"
        );
    });
}
