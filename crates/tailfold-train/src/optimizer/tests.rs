use burn::module::Param;
use burn::optim::GradientsParams;

use super::*;
use crate::casts::to_host;

/// A matrix and a bias; the loss is their inner products with `SLOPE` and `TILT`.
#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

const SLOPE: [f32; 6] = [1.0, -2.0, 0.5, 0.0, 3.0, -1.0];
const TILT: [f32; 2] = [0.25, -4.0];

fn layer(device: &Device) -> Layer {
    let weight = Tensor::from_floats([[0.5, -1.0, 2.0], [0.0, 3.0, -0.25]], device);
    let bias = Tensor::from_floats([1.0, -2.0], device);
    Layer {
        weight: Param::from_tensor(weight),
        bias: Param::from_tensor(bias),
    }
}

fn config(nesterov: bool, decay: Decay) -> OptimizerConfig {
    OptimizerConfig {
        learning_rate: 0.5,
        momentum: 0.8,
        nesterov,
        weight_decay: 0.1,
        decay,
        sam_rho: None,
        warmup_epochs: 0.0,
    }
}

fn step(optimizer: &mut ModuleOptimizer, layer: Layer, rate: f32) -> Layer {
    let device = layer.bias.device();
    let slope = Tensor::<1>::from_floats(SLOPE, &device).reshape([2, 3]);
    let tilt = Tensor::<1>::from_floats(TILT, &device);
    let loss = (layer.weight.val() * slope).sum() + (layer.bias.val() * tilt).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &layer);
    optimizer.step(f64::from(rate), layer, gradients)
}

fn values(layer: &Layer) -> [Vec<f32>; 2] {
    [
        to_host(layer.weight.val().without_autodiff()).unwrap(),
        to_host(layer.bias.val().without_autodiff()).unwrap(),
    ]
}

/// PyTorch's SGD by its documentation: `g + decay w`, a velocity without dampening, and Nesterov's look-ahead.
#[test]
fn steps_match_pytorch() {
    let device = Device::flex().autodiff();
    for nesterov in [false, true] {
        for decay in [Decay::All, Decay::Weights] {
            let mut optimizer = descent(&config(nesterov, decay));
            let mut layer = layer(&device);
            let penalties = [0.1, if decay == Decay::All { 0.1 } else { 0.0 }];
            let mut expect = values(&layer);
            let mut velocities = [vec![0.0_f32; 6], vec![0.0; 2]];
            for rate in [0.5_f32, 0.25, 0.125] {
                layer = step(&mut optimizer, layer, rate);
                let slopes: [&[f32]; 2] = [&SLOPE, &TILT];
                for (part, slope) in slopes.into_iter().enumerate() {
                    let parameters = expect[part].iter_mut().zip(&mut velocities[part]);
                    for ((w, v), g) in parameters.zip(slope) {
                        let g = g + penalties[part] * *w;
                        *v = 0.8 * *v + g;
                        *w -= rate * if nesterov { g + 0.8 * *v } else { *v };
                    }
                }
                for (found, expect) in values(&layer).iter().zip(&expect) {
                    for (f, e) in found.iter().zip(expect) {
                        assert!((f - e).abs() < 1e-5, "{found:?}, expected {expect:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn restored_state_gives_same_bits() {
    let device = Device::flex().autodiff();
    let config = config(true, Decay::Weights);
    let mut straight = descent(&config);
    let layer = step(&mut straight, layer(&device), 0.5);
    let bytes = straight.into_bytes().unwrap();
    let mut restored = descent(&config).from_bytes(bytes).unwrap();
    let resumed = step(&mut restored, layer.clone(), 0.25);
    let fresh = step(&mut descent(&config), layer.clone(), 0.25);
    let expect = values(&step(&mut straight, layer, 0.25));
    assert_eq!(values(&resumed), expect);
    // Control: without its velocity the step differs.
    assert_ne!(values(&fresh), expect);
}
