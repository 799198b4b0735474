use burn::tensor::DType;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::*;

mod classifier;
mod contrasts;
mod counts;
mod extremes;
mod goldens;

/// A loss, and its gradient at each of its inputs.
#[derive(Deserialize)]
struct Expected {
    loss: f64,
    gradients: Vec<Vec<Vec<f64>>>,
}

/// A loss and its gradients for one value of the loss's own setting.
#[derive(Deserialize)]
struct Setting {
    setting: f64,
    #[serde(flatten)]
    expected: Expected,
}

/// PyTorch's values and gradients, written by `tests/judges/losses.py`.
#[derive(Deserialize)]
struct Golden {
    labels: Vec<i32>,
    counts: Vec<u64>,
    temperature: f64,
    scores: Vec<Vec<f64>>,
    shift: Vec<f64>,
    points: Vec<Vec<f64>>,
    prototypes: Vec<Vec<f64>>,
    cosines: Vec<Vec<f64>>,
    weights: Vec<f64>,
    cross_entropy: Expected,
    ot_dynamic: Expected,
    focal: Vec<Setting>,
    logit_adjusted: Vec<Setting>,
    ldam: Expected,
    ldam_weighted: Expected,
    contrastive: Expected,
    balanced: Expected,
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

fn matrix(rows: &[Vec<f64>], dtype: DType) -> Tensor<2> {
    let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
    Tensor::from_data(data, (&device(), dtype))
}

/// Computes the loss at `rows` and its gradient there, row-major.
fn value_and_gradient(
    rows: &[Vec<f64>],
    dtype: DType,
    loss: impl Fn(Tensor<2>) -> Tensor<1>,
) -> (f64, Vec<f64>) {
    let x = matrix(rows, dtype).require_grad();
    let loss = loss(x.clone());
    let gradient = x.grad(&loss.backward()).unwrap();
    (values(loss)[0], values(gradient))
}

/// Returns `rows` rows of `dim` numbers in `[-size, size]`.
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

/// Compares the gradient with central differences, in f64.
///
/// With a step of 1e-5, the error of central differences is a sixth of the step's square, 1.7e-11, times the third
/// derivative, which scales with 1 / temperature cubed (1000 here, times powers of coordinates below 1/2), plus the
/// rounding of a loss of about 10, 2e-15, divided by the step: together below 5e-9.
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
