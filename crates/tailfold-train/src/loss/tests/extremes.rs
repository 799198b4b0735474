//! Finite inputs of any size, and the smallest batches.

use super::*;

const HUGE: [[f64; 3]; 2] = [[1e30, -1e30, 0.0], [-1e30, 1e30, 1e30]];

#[test]
fn huge_scores_stay_finite() {
    let scores = HUGE.map(Vec::from);
    let run = |loss: &dyn Fn(Tensor<2>, Tensor<1>, Tensor<1, Int>) -> Tensor<1>| {
        value_and_gradient(&scores, DType::F32, |s| {
            loss(s, vector(&[-3.0, 0.0, 3.0], DType::F32), classes(&[1, 2]))
        })
    };
    let lost = [0.5, -0.5, 0.0, 0.0, 0.25, -0.25];
    for (loss, gradient) in [
        run(&ot_dynamic_softmax),
        run(&|s, margins, y| ldam(s, y, margins, None)),
    ] {
        assert!((loss / 1e30 - 1.0).abs() < 1e-6, "{loss}");
        close(&gradient, &lost, 1e-6);
    }
    // Focal's gradient is a difference of two numbers of the loss's size, so it is only known to be finite.
    let (loss, gradient) = run(&|s, _, y| focal(s, y, 2.0));
    assert!((loss / 1e30 - 1.0).abs() < 1e-6, "{loss}");
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
}

#[test]
fn confident_sample_has_zero_loss() {
    for gamma in [0.0, 0.5, 2.0] {
        let (loss, gradient) = value_and_gradient(&[vec![1e30, -1e30, 0.0]], DType::F32, |s| {
            focal(s, classes(&[0]), gamma)
        });
        close(&[loss], &[0.0], 0.0);
        close(&gradient, &[0.0; 3], 0.0);
    }
}

#[test]
fn huge_points_stay_finite() {
    let points = [[1e4, 0.0], [1e4, 0.0], [0.0, 1e4], [0.0, -1e4]].map(Vec::from);
    let run = |labels: &[i32]| {
        value_and_gradient(&points, DType::F32, |points| {
            supervised_contrastive(points, classes(labels), 0.01)
        })
    };
    let (loss, gradient) = run(&[0, 0, 1, 2]);
    close(&[loss], &[0.0], 0.0);
    close(&gradient, &[0.0; 8], 0.0);
    // The similarity is -1e10 between the two opposite points, and 0 to both other points.
    let (loss, gradient) = run(&[0, 1, 2, 2]);
    assert!((loss / 1e10 - 1.0).abs() < 1e-6, "{loss}");
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");

    let prototypes = [[0.0, 1e4], [1e4, 0.0], [-1e4, 0.0]].map(Vec::from);
    let (loss, gradient) = value_and_gradient(&points, DType::F32, |points| {
        let prototypes = matrix(&prototypes, DType::F32);
        balanced_contrastive(points, prototypes, classes(&[0, 0, 1, 2]), 0.01)
    });
    // Each of the first two points has one positive at 1e10, its duplicate, and one at 0, its prototype: a loss of half
    // of 1e10 each. The third point has its prototype at 0 and class 0's prototype at 1e10; the fourth has its
    // prototype at 0 and nothing above.
    assert!((loss / 1e10 - 0.5).abs() < 1e-6, "{loss}");
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
}

/// Two images, of one class and of two, through every loss.
#[test]
fn batch_of_two_is_finite() {
    let golden = golden();
    let vector = |values: &[f64]| vector(values, DType::F32);
    for labels in [[2, 2], [2, 0]] {
        let finite = |rows: &[Vec<f64>], loss: &dyn Fn(Tensor<2>, Tensor<1, Int>) -> Tensor<1>| {
            let (loss, gradient) =
                value_and_gradient(&rows[..2], DType::F32, |x| loss(x, classes(&labels)));
            assert!(loss.is_finite() && loss >= 0.0, "{labels:?}: {loss}");
            assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
            gradient.iter().any(|g| g.abs() > 1e-9)
        };
        let weights = effective_number_weights(&golden.counts, 0.9999);
        assert!(finite(&golden.scores, &cross_entropy));
        assert!(finite(&golden.scores, &|s, y| focal(s, y, 2.0)));
        assert!(finite(&golden.scores, &|s, y| {
            ldam(s, y, vector(&golden.shift), Some(vector(&weights)))
        }));
        let prototypes = || matrix(&golden.prototypes, DType::F32);
        assert!(finite(&golden.points, &|z, y| {
            balanced_contrastive(z, prototypes(), y, 0.1)
        }));
        // Two points have no third point to contrast with: the loss is 0 whether or not they are of one class.
        assert!(!finite(&golden.points, &|z, y| supervised_contrastive(
            z, y, 0.1
        )));
    }
}
