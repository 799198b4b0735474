use super::*;
use crate::blocks::{Blocks, block_rows};
use crate::sphere_samples;

#[test]
fn bad_scores_are_named() {
    let message =
        |values: &[f32], classes| Scores::matrix(values, classes).unwrap_err().to_string();
    assert_eq!(message(&[1.0], 0), "there are no classes");
    assert_eq!(message(&[], 3), "the sample is empty");
    assert_eq!(
        message(&[1.0; 7], 3),
        "scores have 7 values, not whole rows of 3"
    );
    assert_eq!(
        message(&[0.0, 1.0, 2.0, f32::NAN, 4.0, 5.0], 2),
        "score of row 1, class 1 is NaN"
    );
    assert_eq!(
        message(&[0.0, f32::NEG_INFINITY], 1),
        "score of row 1, class 0 is -inf"
    );
}

#[test]
fn bad_products_are_named() {
    let message = |features: &[f32], weights: &[f32], dim, scale| {
        Scores::product(features, weights, dim, scale)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(&[1.0], &[1.0], 0, 1.0),
        "features must have at least one column"
    );
    assert_eq!(message(&[1.0; 4], &[], 2, 1.0), "there are no classes");
    assert_eq!(message(&[], &[1.0; 4], 2, 1.0), "the sample is empty");
    assert_eq!(
        message(&[1.0; 5], &[1.0; 4], 2, 1.0),
        "features have 5 values, not whole rows of 2"
    );
    assert_eq!(
        message(&[1.0; 4], &[1.0; 3], 2, 1.0),
        "weights have 3 values, not whole rows of 2"
    );
    assert_eq!(
        message(&[1.0; 4], &[1.0; 4], 2, f32::NAN),
        "the scale of the scores is NaN"
    );
    assert_eq!(
        message(&[0.0, 0.0, 0.0, f32::NAN], &[1.0; 4], 2, 1.0),
        "feature 1 of row 1 is NaN"
    );
    assert_eq!(
        message(&[0.0; 4], &[1.0, 1.0, f32::INFINITY, 1.0], 2, 1.0),
        "weight 0 of class 1 is inf"
    );
    assert_eq!(
        message(&[0.0, 0.0, 1e20, 0.0], &[1.0, 0.0, 0.0, 1e20], 2, 1.0),
        "the scores can overflow: the largest feature vector is row 1, the largest weight vector class 1"
    );
    assert!(
        Scores::product(&[1e20, 0.0], &[1e10, 0.0], 2, 1e20).is_err(),
        "the scale counts"
    );
}

/// Compares the blocks of a product with the definition, for kept and for recomputed scores.
fn check(n: usize, classes: usize, dim: usize) {
    let (features, weights) = (sphere_samples(n, dim, 1), sphere_samples(classes, dim, 2));
    let scores = Scores::product(&features, &weights, dim, 4.0).unwrap();
    assert_eq!((scores.rows(), scores.num_classes()), (n, classes));
    for stride in [1, 3] {
        check_every(stride, &scores, &features, &weights, dim);
    }
}

/// Makes the same comparison for every `stride`-th row.
fn check_every(stride: usize, scores: &Scores<'_>, features: &[f32], weights: &[f32], dim: usize) {
    let (n, classes) = (scores.rows().div_ceil(stride), scores.num_classes());
    let anew = Blocks::new(scores, stride, 0);
    let kept = Blocks::new(scores, stride, usize::MAX);
    let mut buffer = Vec::new();
    for start in (0..n).step_by(block_rows(classes)) {
        let rows = start..(start + block_rows(classes)).min(n);
        let block = anew.read(rows.clone(), &mut buffer).to_vec();
        assert_eq!(block.len(), rows.len() * classes);
        assert_eq!(
            block,
            kept.read(rows.clone(), &mut buffer),
            "{n} x {classes} x {dim}"
        );
        for (i, row) in rows.zip(block.chunks_exact(classes)) {
            for (j, &score) in row.iter().enumerate() {
                let (z, w) = (
                    &features[i * stride * dim..][..dim],
                    &weights[j * dim..(j + 1) * dim],
                );
                let exact: f32 = z.iter().zip(w).map(|(z, w)| 4.0 * z * w).sum();
                assert!(
                    (score - exact).abs() < 1e-5,
                    "{n} x {classes} x {dim}: [{i}, {j}] is {score}, not {exact}"
                );
            }
        }
    }
}

#[test]
fn blocks_match_products_of_every_shape() {
    for (n, classes, dim) in [
        (1, 1, 1),
        (5, 3, 2),
        (2, 7, 4),
        (4, 2, 9),
        (300, 5, 7),
        (300, 7, 5),
        (257, 6, 6),
    ] {
        check(n, classes, dim);
    }
    check(556, 33, 17);
    check(150, 2_000, 3);
}

#[test]
fn matrix_is_read_in_place() {
    let values = sphere_samples(10, 3, 1);
    let scores = Scores::matrix(&values, 3).unwrap();
    let read = |stride, rows| {
        Blocks::new(&scores, stride, 0)
            .read(rows, &mut Vec::new())
            .to_vec()
    };
    assert_eq!(read(1, 4..7), values[12..21]);
    assert_eq!(read(4, 1..3), [&values[12..15], &values[24..27]].concat());
}
