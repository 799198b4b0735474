//! Properties of the losses on projected points.

use super::*;

#[test]
fn gradients_match_central_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for (n, dim, labels) in [
        (2, 3, vec![1, 1]),
        (4, 3, vec![0, 2, 2, 0]),
        (5, 2, vec![1, 1, 1, 0, 1]),
        (3, 4, vec![3, 3, 0]),
    ] {
        let points = random(&mut rng, n, dim, 0.5);
        let prototypes = random(&mut rng, 4, dim, 0.5);
        // burn computes the derivative of a division by a number with its reciprocal in f32; the reciprocals of these
        // two temperatures, 10 and 2, are exact.
        for temperature in [0.1, 0.5] {
            check_slopes(&points, |points| {
                supervised_contrastive(points, classes(&labels), temperature)
            });
            check_slopes(&points, |points| {
                let prototypes = matrix(&prototypes, DType::F64);
                balanced_contrastive(points, prototypes, classes(&labels), temperature)
            });
            check_slopes(&prototypes, |prototypes| {
                let points = matrix(&points, DType::F64);
                balanced_contrastive(points, prototypes, classes(&labels), temperature)
            });
        }
    }
}

#[test]
fn anchors_without_positives_have_zero_loss() {
    for labels in [vec![0, 1, 2, 3], vec![5], vec![7, 4]] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let points = random(&mut rng, labels.len(), 3, 1.0);
        for dtype in [DType::F32, DType::F64] {
            let (loss, gradient) = value_and_gradient(&points, dtype, |points| {
                supervised_contrastive(points, classes(&labels), 0.1)
            });
            close(&[loss], &[0.0], 0.0);
            close(&gradient, &vec![0.0; points.len() * 3], 0.0);
        }
    }
}

/// With one point, its own prototype and one other prototype, the loss is a cross-entropy over two classes.
#[test]
fn prototype_is_positive_of_single_point() {
    let (point, prototypes) = (
        [vec![1.0, 0.0]],
        [vec![0.6, 0.8], vec![-0.8, 0.6], vec![0.0, 1.0]],
    );
    let (loss, _) = value_and_gradient(&point, DType::F64, |points| {
        balanced_contrastive(points, matrix(&prototypes, DType::F64), classes(&[1]), 0.5)
    });
    let expect = 1.6 + (1.2_f64.exp() + (-1.6_f64).exp() + 1.0).ln();
    close(&[loss], &[expect], 1e-14);
}

/// If all points of class 1 coincide, no anchor's loss depends on their number: the mean loss is the average of one
/// loss of class 0 and as many equal losses of class 1 as it has points.
#[test]
fn frequent_class_does_not_dominate_denominator() {
    let (anchor, other) = (vec![1.0, 0.0], vec![0.6, 0.8]);
    let prototypes = [vec![0.28, 0.96], other.clone(), vec![0.0, -1.0]];
    let loss = |copies: usize| {
        let points = [vec![anchor.clone()], vec![other.clone(); copies]].concat();
        let labels = [vec![0], vec![1; copies]].concat();
        value_and_gradient(&points, DType::F64, |points| {
            balanced_contrastive(
                points,
                matrix(&prototypes, DType::F64),
                classes(&labels),
                0.5,
            )
        })
        .0
    };
    let (one, three) = (loss(1), loss(3));
    let of_class_1 = 2.0 * three - one;
    let of_class_0 = 2.0 * one - of_class_1;
    assert!(of_class_0 > of_class_1 + 0.1, "{of_class_0} {of_class_1}");
    for copies in [2_u32, 7, 30] {
        let expect = (of_class_0 + f64::from(copies) * of_class_1) / f64::from(copies + 1);
        close(&[loss(copies as usize)], &[expect], 1e-13);
    }
}
