use super::*;
use crate::testing::{cosine, noise, skewed};

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} against {expected}"
        );
    }
}

/// The sums over some groups of rows equal the sums of a sample with only these rows.
#[test]
fn groups_of_rows_act_as_separate_sample() {
    let (dim, classes, every) = (4, 5, 3);
    // The last group is incomplete.
    let (z, w) = cosine(1_003, classes, dim, 9);
    let weights: Vec<f64> = noise(1_003, 0.5, 8).iter().map(|v| 1.0 + v).collect();
    let (mut rows, mut row_weights) = (Vec::new(), Vec::new());
    for (group, chunk) in z.chunks(GROUP * dim).enumerate().step_by(every) {
        rows.extend_from_slice(chunk);
        row_weights.extend_from_slice(&weights[group * GROUP..][..chunk.len() / dim]);
    }
    let all = Scores::product(&z, &w, dim, 9.0).unwrap();
    let few = Scores::product(&rows, &w, dim, 9.0).unwrap();
    let mut all = Sample::new(&all, 0, Some(&weights)).unwrap();
    let mut few = Sample::new(&few, 0, Some(&row_weights)).unwrap();
    let offsets = noise(classes, 2.0, 7);
    let worth = Worth::new(&skewed(classes, 0.1), 1_003);
    let found = all.some_soft_cells(&offsets, 0.7, Some(&worth), every);
    let expected = few.soft_cells(&offsets, 0.7, Some(&worth));
    close(&[found.energy], &[expected.energy]);
    close(&found.soft, &expected.soft);
    close(&found.hard, &expected.hard);
    let [found, expected] = [found.kept, expected.kept].map(|kept| kept.unwrap().diagonal(classes));
    close(&found, &expected);
    let nothing = all.some_soft_cells(&offsets, 0.7, None, 2_000);
    assert!(nothing.soft.iter().all(|mass| mass.is_finite()));
}

#[test]
fn rows_without_weight_give_nan() {
    let (z, w) = cosine(64, 3, 2, 1);
    // The pass visits only the first group, whose weights are zero.
    let weights: Vec<f64> = (0..64)
        .map(|row| f64::from(u8::from(row >= GROUP)))
        .collect();
    let scores = Scores::product(&z, &w, 2, 4.0).unwrap();
    let mut sample = Sample::new(&scores, 0, Some(&weights)).unwrap();
    let sums = sample.some_soft_cells(&[0.0; 3], 1.0, None, 8);
    assert!(sums.soft.iter().all(|mass| mass.is_nan()), "{sums:?}");
}
