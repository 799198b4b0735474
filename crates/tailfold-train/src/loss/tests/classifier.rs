//! Properties of the losses on scores.

use super::*;

#[test]
fn gradients_match_central_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for (n, dim, labels) in [
        (1, 2, vec![1]),
        (4, 3, vec![0, 2, 2, 0]),
        (5, 2, vec![1, 1, 1, 0, 1]),
        (3, 4, vec![3, 3, 0]),
    ] {
        let scores = random(&mut rng, n, dim, 5.0);
        let shift = random(&mut rng, 1, dim, 2.0).concat();
        let shift = || vector(&shift, DType::F64);
        let labels = || classes(&labels);
        check_slopes(&scores, |s| ot_dynamic_softmax(s, shift(), labels()));
        for gamma in [0.3, 1.0, 4.0] {
            check_slopes(&scores, |s| focal(s, labels(), gamma));
        }
        let weights = || shift().exp();
        check_slopes(&scores, |s| ldam(s, labels(), shift(), Some(weights())));
    }
}

#[test]
fn constant_shift_changes_nothing() {
    let golden = golden();
    let run = |constant: f64| {
        let shift: Vec<f64> = golden.shift.iter().map(|h| h + constant).collect();
        value_and_gradient(&golden.scores, DType::F64, |scores| {
            ot_dynamic_softmax(scores, vector(&shift, DType::F64), classes(&golden.labels))
        })
    };
    let (loss, gradient) = run(0.0);
    for constant in [-50.0, 0.3, 1000.0] {
        let (moved, moved_gradient) = run(constant);
        // Adding 1000 rounds the shift to 1.1e-13.
        close(&[moved], &[loss], 1e-12);
        close(&moved_gradient, &gradient, 1e-12);
    }
}

#[test]
fn class_count_terms_have_no_gradient() {
    let golden = golden();
    let leaf = || vector(&golden.shift, DType::F64).require_grad();
    let scores = || matrix(&golden.scores, DType::F64).require_grad();
    let labels = || classes(&golden.labels);

    let shift = leaf();
    let loss = ot_dynamic_softmax(scores(), shift.clone(), labels());
    assert!(shift.grad(&loss.backward()).is_none());

    let (margins, weights) = (leaf(), leaf());
    let loss = ldam(scores(), labels(), margins.clone(), Some(weights.clone()));
    let gradients = loss.backward();
    assert!(margins.grad(&gradients).is_none() && weights.grad(&gradients).is_none());
}

#[test]
fn neutral_settings_give_cross_entropy() {
    let golden = golden();
    let labels = || classes(&golden.labels);
    let run = |loss: &dyn Fn(Tensor<2>) -> Tensor<1>| {
        value_and_gradient(&golden.scores, DType::F64, loss)
    };
    let (expect, slope) = run(&|s| cross_entropy(s, labels()));
    let same = |count: usize, value: f64| vector(&vec![value; count], DType::F64);
    let (classes, counts) = (golden.counts.len(), &golden.counts);
    let no_shift = log_prior(counts, 0.0);
    for (loss, gradient) in [
        run(&|s| focal(s, labels(), 0.0)),
        run(&|s| ldam(s, labels(), same(classes, 0.0), None)),
        run(&|s| ldam(s, labels(), same(classes, 0.0), Some(same(classes, 0.25)))),
        run(&|s| logit_adjusted(s, vector(&no_shift, DType::F64), labels())),
    ] {
        close(&[loss], &[expect], 1e-13);
        close(&gradient, &slope, 1e-13);
    }
}

#[test]
fn focal_weights_confident_samples_less() {
    // Two classes: p = 1 / (1 + e^-d).
    for (d, gamma) in [(-2.0_f64, 2.0), (0.0, 0.5), (3.0, 2.0), (3.0, 0.0)] {
        let p = 1.0 / (1.0 + (-d).exp());
        let (loss, _) = value_and_gradient(&[vec![0.0, d]], DType::F64, |s| {
            focal(s, classes(&[1]), gamma)
        });
        close(&[loss], &[-(1.0 - p).powf(gamma) * p.ln()], 1e-14);
    }
}

#[test]
fn batch_of_one_class_is_independent_of_weights() {
    let golden = golden();
    let margins = || vector(&golden.shift, DType::F64);
    let run = |weights: Option<&Vec<f64>>| {
        value_and_gradient(&golden.scores[..2], DType::F64, |s| {
            let weights = weights.map(|w| vector(w, DType::F64));
            ldam(s, classes(&[3, 3]), margins(), weights)
        })
    };
    let ((plain, slope), (weighted, weighted_slope)) = (run(None), run(Some(&golden.weights)));
    close(&[weighted], &[plain], 1e-13);
    close(&weighted_slope, &slope, 1e-13);
}
