use burn::tensor::DType;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::*;

/// PyTorch's values and gradients; `testdata/losses.py` wrote them.
#[derive(Deserialize)]
struct Golden {
    labels: Vec<i32>,
    temperature: f64,
    scores: Vec<Vec<f64>>,
    shift: Vec<f64>,
    softmax_loss: f64,
    softmax_gradient: Vec<Vec<f64>>,
    points: Vec<Vec<f64>>,
    contrastive_loss: f64,
    contrastive_gradient: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../testdata/losses.json")).unwrap()
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn vector(values: &[f64], dtype: DType) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&device(), dtype))
}

fn classes(labels: &[i32]) -> Tensor<1, Int> {
    Tensor::from_ints(labels, &device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let data = tensor.without_autodiff().into_data();
    data.convert::<f64>().try_to_vec().unwrap()
}

/// The loss at `rows` and its gradient there, row-major.
fn value_and_gradient(
    rows: &[Vec<f64>],
    dtype: DType,
    loss: impl Fn(Tensor<2>) -> Tensor<1>,
) -> (f64, Vec<f64>) {
    let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
    let x = Tensor::<2>::from_data(data, (&device(), dtype)).require_grad();
    let loss = loss(x.clone());
    let gradient = x.grad(&loss.backward()).unwrap();
    (values(loss)[0], values(gradient))
}

/// `rows` of `dim` numbers in `[-size, size]`.
fn random(rng: &mut ChaCha8Rng, rows: usize, dim: usize, size: f64) -> Vec<Vec<f64>> {
    let mut number = || size * (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0);
    (0..rows)
        .map(|_| (0..dim).map(|_| number()).collect())
        .collect()
}

fn close(found: &[f64], expect: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expect.len());
    for (i, (f, e)) in found.iter().zip(expect).enumerate() {
        assert!((f - e).abs() <= tolerance, "{i}: {f}, expected {e}");
    }
}

/// Logits go up to 10 = 1 / temperature, where one f32 step is 9.5e-7 (f64: 1.8e-15), and a loss or a gradient
/// (factor 1 / temperature again, times a weight below 1 / 6) moves by a few such steps.
const TOLERANCES: [(DType, f64); 2] = [(DType::F32, 3e-6), (DType::F64, 1e-13)];

#[test]
fn softmax_is_pytorchs() {
    let golden = golden();
    for (dtype, tolerance) in TOLERANCES {
        let (loss, gradient) = value_and_gradient(&golden.scores, dtype, |scores| {
            let shift = vector(&golden.shift, dtype);
            ot_dynamic_softmax(scores, shift, classes(&golden.labels))
        });
        close(&[loss], &[golden.softmax_loss], tolerance);
        close(&gradient, &golden.softmax_gradient.concat(), tolerance);
    }
}

#[test]
fn contrastive_is_pytorchs() {
    let golden = golden();
    for (dtype, tolerance) in TOLERANCES {
        let (loss, gradient) = value_and_gradient(&golden.points, dtype, |points| {
            supervised_contrastive(points, classes(&golden.labels), golden.temperature)
        });
        close(&[loss], &[golden.contrastive_loss], tolerance);
        close(&gradient, &golden.contrastive_gradient.concat(), tolerance);
    }
}

/// Compares the gradient with central differences, in f64.
///
/// With a step of 1e-5 they err by a sixth of its square, 1.7e-11, times the third derivative, which goes with
/// 1 / temperature cubed (1000 here, times powers of coordinates below 1/2), and by the rounding of a loss of about 10,
/// 2e-15, over the step: together below 5e-9.
fn check_slopes(rows: &[Vec<f64>], loss: impl Fn(Tensor<2>) -> Tensor<1>) {
    const STEP: f64 = 1e-5;
    let (_, gradient) = value_and_gradient(rows, DType::F64, &loss);
    let dim = rows[0].len();
    let slopes: Vec<f64> = (0..rows.len() * dim)
        .map(|i| {
            let at = |step: f64| {
                let mut moved = rows.to_vec();
                moved[i / dim][i % dim] += step;
                value_and_gradient(&moved, DType::F64, &loss).0
            };
            (at(STEP) - at(-STEP)) / (2.0 * STEP)
        })
        .collect();
    close(&gradient, &slopes, 5e-9);
}

#[test]
fn gradients_are_slopes() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for (n, dim, labels) in [
        (1, 2, vec![1]),
        (4, 3, vec![0, 2, 2, 0]),
        (5, 2, vec![1, 1, 1, 0, 1]),
        (3, 4, vec![3, 3, 0]),
    ] {
        let scores = random(&mut rng, n, dim, 5.0);
        let shift = random(&mut rng, 1, dim, 2.0).concat();
        check_slopes(&scores, |scores| {
            ot_dynamic_softmax(scores, vector(&shift, DType::F64), classes(&labels))
        });
        let points = random(&mut rng, n, dim, 0.5);
        // burn takes the reciprocal in the derivative of a division by a number in f32, where these two have none to lose.
        for temperature in [0.1, 0.5] {
            check_slopes(&points, |points| {
                supervised_contrastive(points, classes(&labels), temperature)
            });
        }
    }
}

#[test]
fn a_constant_in_the_shift_changes_nothing() {
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
fn the_log_prior_gives_the_logit_adjusted_loss() {
    let golden = golden();
    let prior = [0.5, 0.25, 0.15, 0.07, 0.03];
    let shift = prior.map(f64::ln);
    let (loss, _) = value_and_gradient(&golden.scores, DType::F64, |scores| {
        ot_dynamic_softmax(scores, vector(&shift, DType::F64), classes(&golden.labels))
    });
    // Menon et al., eq. 10 with tau = 1: the softmax weighted by the prior, as a product.
    let expect = golden.scores.iter().zip(&golden.labels).map(|(row, &y)| {
        let weighted: Vec<f64> = row.iter().zip(prior).map(|(s, p)| p * s.exp()).collect();
        -(weighted[usize::try_from(y).unwrap()] / weighted.iter().sum::<f64>()).ln()
    });
    let expect = expect.sum::<f64>() / golden.labels.len() as f64;
    close(&[loss], &[expect], 1e-13);
}

#[test]
fn the_shift_has_no_gradient() {
    let golden = golden();
    let shift = vector(&golden.shift, DType::F64).require_grad();
    let data = TensorData::new(golden.scores.concat(), [7, 5]);
    let scores = Tensor::<2>::from_data(data, (&device(), DType::F64)).require_grad();
    let loss = ot_dynamic_softmax(scores, shift.clone(), classes(&golden.labels));
    assert!(shift.grad(&loss.backward()).is_none());
}

#[test]
fn anchors_without_positives_cost_nothing() {
    for labels in [vec![0, 1, 2, 3], vec![5], vec![7, 4]] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let points = random(&mut rng, labels.len(), 3, 1.0);
        for (dtype, _) in TOLERANCES {
            let (loss, gradient) = value_and_gradient(&points, dtype, |points| {
                supervised_contrastive(points, classes(&labels), 0.1)
            });
            close(&[loss], &[0.0], 0.0);
            close(&gradient, &vec![0.0; points.len() * 3], 0.0);
        }
    }
}

#[test]
fn huge_logits_stay_finite() {
    let scores = [vec![1e30, -1e30, 0.0], vec![-1e30, 1e30, 1e30]];
    let (loss, gradient) = value_and_gradient(&scores, DType::F32, |scores| {
        let shift = vector(&[-3.0, 0.0, 3.0], DType::F32);
        ot_dynamic_softmax(scores, shift, classes(&[1, 2]))
    });
    assert!((loss / 1e30 - 1.0).abs() < 1e-6, "{loss}");
    close(&gradient, &[0.5, -0.5, 0.0, 0.0, 0.25, -0.25], 1e-6);

    let points = [
        vec![1e4, 0.0],
        vec![1e4, 0.0],
        vec![0.0, 1e4],
        vec![0.0, -1e4],
    ];
    let run = |labels: &[i32]| {
        value_and_gradient(&points, DType::F32, |points| {
            supervised_contrastive(points, classes(labels), 0.01)
        })
    };
    let (loss, gradient) = run(&[0, 0, 1, 2]);
    close(&[loss], &[0.0], 0.0);
    close(&gradient, &[0.0; 8], 0.0);
    // The two opposite points see each other at -1e10 and both others at 0.
    let (loss, gradient) = run(&[0, 1, 2, 2]);
    assert!((loss / 1e10 - 1.0).abs() < 1e-6, "{loss}");
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
}
