use super::*;

use crate::casts::to_host;
use crate::trainer::tests::generator;

fn rows<const N: usize, const D: usize>(values: [[f32; D]; N], device: &Device) -> Tensor<2> {
    Tensor::from_floats(values, device)
}

fn head<const C: usize, const D: usize>(
    kind: Head,
    weight: [[f32; D]; C],
    bias: Option<[f32; C]>,
    device: &Device,
) -> ClassifierHead {
    ClassifierHead {
        weight: Param::from_tensor(rows(weight, device)),
        bias: bias.map(|bias| Param::from_tensor(Tensor::from_floats(bias, device))),
        kind,
    }
}

const WEIGHT: [[f32; 3]; 2] = [[3.0, 0.0, 4.0], [0.0, 2.0, 0.0]];

/// The tolerance is a few f32 steps at 10.
fn close(found: Tensor<2>, expect: &[f32]) {
    let found = to_host(found.without_autodiff()).unwrap();
    assert_eq!(found.len(), expect.len());
    for (i, (f, e)) in found.iter().zip(expect).enumerate() {
        assert!((f - e).abs() <= 4e-6, "{i}: {f}, expected {e}");
    }
}

#[test]
fn cosine_head_scores_angles() {
    let device = Device::flex();
    let head = head(Head::Cosine { scale: 10.0 }, WEIGHT, None, &device);
    let features = rows([[0.0, 0.0, 2.0], [1.0, 2.0, 2.0]], &device);
    // Unit weights (3, 0, 4) / 5 and (0, 1, 0); unit features (0, 0, 1) and (1, 2, 2) / 3.
    let expect = [8.0, 0.0, 110.0 / 15.0, 20.0 / 3.0];
    close(head.forward(features.clone()), &expect);
    // The lengths of the features do not matter.
    close(head.forward(features.mul_scalar(1e4)), &expect);
    assert!(ClassifierHead::new(2, 3, head.kind, &device).bias.is_none());
}

#[test]
fn linear_head_is_affine() {
    let device = Device::flex();
    let head = head(Head::Linear, WEIGHT, Some([0.5, -1.0]), &device);
    let features = rows([[0.0, 0.0, 2.0], [1.0, 2.0, 2.0]], &device);
    close(head.forward(features), &[8.5, -1.0, 11.5, 3.0]);
}

#[test]
fn zero_row_has_finite_scores_and_gradients() {
    let device = Device::flex().autodiff();
    let kind = Head::Cosine { scale: 10.0 };
    let head = head(kind, [[0.0; 3], [0.0, 2.0, 0.0]], None, &device);
    let features = rows([[0.0; 3], [1.0, 2.0, 2.0]], &device).require_grad();
    let scores = head.forward(features.clone());
    close(scores.clone(), &[0.0, 0.0, 0.0, 20.0 / 3.0]);
    let gradients = scores.sum().backward();
    for gradient in [
        features.grad(&gradients),
        head.weight.val().grad(&gradients),
    ] {
        let gradient = to_host(gradient.unwrap()).unwrap();
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
    }
}

/// The exported `W` and `b` reproduce the scores as `inputs(z) W^T + b`.
#[test]
fn exported_parts_reproduce_scores() {
    let device = Device::flex();
    let features = [
        [0.3, -1.2, 2.0],
        [1.0, 0.0, -0.5],
        [0.0; 3],
        [-7.0, 4.0, 0.1],
    ];
    for (kind, bias) in [
        (Head::Linear, Some([0.25, -1.5])),
        (Head::Cosine { scale: 12.5 }, None),
    ] {
        let head = head(kind, [[0.7, -0.2, 1.1], [-2.0, 0.4, 0.9]], bias, &device);
        let exported = head.affine();
        assert_eq!(exported.bias.is_some(), bias.is_some());
        let weight = to_host(exported.weight).unwrap();
        let bias = exported
            .bias
            .map_or_else(|| vec![0.0; 2], |b| to_host(b).unwrap());
        let inputs = to_host(head.inputs(rows(features, &device))).unwrap();
        let expect: Vec<f32> = inputs
            .chunks_exact(3)
            .flat_map(|z| {
                weight
                    .chunks_exact(3)
                    .zip(&bias)
                    .map(move |(w, b)| z.iter().zip(w).map(|(z, w)| z * w).sum::<f32>() + b)
            })
            .collect();
        close(head.forward(rows(features, &device)), &expect);
    }
}

#[test]
fn projections_lie_on_sphere() {
    let _generator = generator();
    let device = Device::flex();
    let projection = Projection::new(3, 8, 5, &device);
    let features = rows(
        [[0.3, -1.2, 2.0], [50.0, 0.0, -0.5], [-7.0, 4.0, 0.1]],
        &device,
    );
    let points = projection.forward(features);
    assert_eq!(points.dims(), [3, 5]);
    close(points.square().sum_dim(1), &[1.0; 3]);
}
