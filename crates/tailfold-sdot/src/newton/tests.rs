use super::*;
use crate::testing::{cosine, noise, search_for, skewed};
use crate::{Problem, Scores, entropic_energy};

/// Minimises from `start`, checks that the gradient vanishes at the end, and returns the number of steps.
fn check(start: &[f64], epsilon: f64) -> usize {
    let classes = start.len();
    let (z, w) = cosine(3_000, classes, 6, 1);
    let target = skewed(classes, 0.02);
    let scores = Scores::product(&z, &w, 6, 16.0).unwrap();
    let mut search = search_for(&scores, target.clone(), 0.0, 200, start.to_vec());
    // The search is for soft masses.
    search.limits.tolerance = None;
    // With this spread no temperature is wide, so every step is a Newton step.
    search.spread = f64::INFINITY;
    let end = minimise(&mut search, start, epsilon, 1e-8);
    let problem = Problem {
        scores,
        sample_weights: None,
        target: &target,
    };
    let (energy, gradient) = entropic_energy(&problem, &end.offsets, epsilon).unwrap();
    assert!(energy <= entropic_energy(&problem, start, epsilon).unwrap().0);
    let chi_square: f64 = gradient.iter().zip(&target).map(|(g, nu)| g * g / nu).sum();
    assert!(
        chi_square <= 1e-8,
        "{chi_square} left after {} steps",
        search.iterations
    );
    search.iterations
}

#[test]
fn few_steps_reach_minimum() {
    assert!(check(&[0.0; 10], 4.0) <= 8);
    assert!(check(&noise(10, 4.0, 3), 1.0) <= 20);
}

#[test]
fn class_without_mass_is_recovered() {
    // The class has exp(-300 / 4) of a sample, beyond the range of the quadratic model.
    let mut start = vec![0.0; 10];
    start[3] = -300.0;
    check(&start, 4.0);
    start[7] = 200.0;
    check(&start, 4.0);
}

#[test]
fn iterations_are_limited() {
    let (z, w) = cosine(500, 6, 6, 1);
    let scores = Scores::product(&z, &w, 6, 16.0).unwrap();
    let mut search = search_for(&scores, skewed(6, 0.02), 0.0, 2, vec![0.0; 6]);
    minimise(&mut search, &[0.0; 6], 1.0, 1e-12);
    assert_eq!(search.iterations, 2);
}
