//! Each loss and its gradients, compared with PyTorch's results in f64.

use super::*;

/// Compares `compute` at `inputs` with PyTorch's result, within `tolerance`, in f32 and in f64.
///
/// The scores and logits are at most 10, where one f32 step is 9.5e-7 (f64: 1.8e-15). A loss or a gradient, with the
/// factor 1 / temperature = 10 and a weight below 1 / 6, changes by a few such steps: 3e-6 and 1e-13. With `scale` (30
/// for LDAM), logits and gradients grow by `scale` / 10.
#[track_caller]
fn check<const N: usize>(
    inputs: [&[Vec<f64>]; N],
    expected: &Expected,
    scale: f64,
    compute: impl Fn([Tensor<2>; N], DType) -> Tensor<1>,
) {
    for (dtype, tolerance) in [(DType::F32, 3e-6), (DType::F64, 1e-13)] {
        let tolerance = tolerance * scale / 10.0;
        let inputs = inputs.map(|rows| matrix(rows, dtype).require_grad());
        let loss = compute(inputs.clone(), dtype);
        let gradients = loss.backward();
        close(&values(loss), &[expected.loss], tolerance);
        assert_eq!(expected.gradients.len(), N);
        for (input, expect) in inputs.iter().zip(&expected.gradients) {
            let found = values(input.grad(&gradients).unwrap());
            close(&found, &expect.concat(), tolerance);
        }
    }
}

#[test]
fn cross_entropy_matches_pytorch() {
    let golden = golden();
    check([&golden.scores], &golden.cross_entropy, 10.0, |[s], _| {
        cross_entropy(s, classes(&golden.labels))
    });
}

#[test]
fn ot_dynamic_softmax_matches_pytorch() {
    let golden = golden();
    check([&golden.scores], &golden.ot_dynamic, 10.0, |[s], dtype| {
        ot_dynamic_softmax(s, vector(&golden.shift, dtype), classes(&golden.labels))
    });
}

#[test]
fn focal_matches_pytorch() {
    let golden = golden();
    for case in &golden.focal {
        check([&golden.scores], &case.expected, 10.0, |[s], _| {
            focal(s, classes(&golden.labels), case.setting)
        });
    }
}

#[test]
fn logit_adjustment_matches_pytorch() {
    let golden = golden();
    for case in &golden.logit_adjusted {
        let shift = log_prior(&golden.counts, case.setting);
        check([&golden.scores], &case.expected, 10.0, |[s], dtype| {
            logit_adjusted(s, vector(&shift, dtype), classes(&golden.labels))
        });
    }
}

#[test]
fn ldam_matches_pytorch() {
    const SCALE: f64 = 30.0;
    let golden = golden();
    let margins = ldam_margins(&golden.counts, 0.5 * SCALE);
    let weights = effective_number_weights(&golden.counts, 0.9999);
    close(&weights, &golden.weights, 1e-12);
    for (weights, expected) in [
        (None, &golden.ldam),
        (Some(&weights), &golden.ldam_weighted),
    ] {
        check([&golden.cosines], expected, SCALE, |[cosines], dtype| {
            ldam(
                cosines.mul_scalar(SCALE),
                classes(&golden.labels),
                vector(&margins, dtype),
                weights.map(|w| vector(w, dtype)),
            )
        });
    }
}

#[test]
fn contrastive_matches_pytorch() {
    let golden = golden();
    check([&golden.points], &golden.contrastive, 10.0, |[z], _| {
        supervised_contrastive(z, classes(&golden.labels), golden.temperature)
    });
}

#[test]
fn balanced_contrastive_matches_pytorch() {
    let golden = golden();
    let inputs: [&[Vec<f64>]; 2] = [&golden.points, &golden.prototypes];
    check(inputs, &golden.balanced, 10.0, |[z, prototypes], _| {
        balanced_contrastive(z, prototypes, classes(&golden.labels), golden.temperature)
    });
}
