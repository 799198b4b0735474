use burn::module::{Module, ModuleMapper};
use burn::nn::BatchNormConfig;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::{DType, Distribution};
use tailfold_spec::{Architecture, Body, Head};

use super::*;
use crate::networks::Network;
use crate::trainer::tests::generator;

/// Casts every float parameter of a module.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let tensor = Tensor::from_inner(tensor.without_autodiff().cast(self.0)).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }
}

fn host<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    let data = x.without_autodiff().into_data().convert_dtype(DType::F64);
    data.try_to_vec().unwrap()
}

/// Returns the largest difference, in units of the largest expected value.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-6f64, |most, e| most.max(e.abs()));
    let differences = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    differences.fold(0.0, |most, d| if d <= most { most } else { d }) / scale
}

#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Layer {
    fn new([from, to]: [usize; 2], kernel: [usize; 2], stride: usize, device: &Device) -> Self {
        let [top, left] = kernel.map(|k| k / 2);
        let conv = Conv2dConfig::new([from, to], kernel)
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(top, left, top, left))
            .with_bias(false);
        let mut norm = BatchNormConfig::new(to).init(device);
        let draw = || Tensor::random([to], Distribution::Uniform(0.5, 1.5), device);
        norm.gamma = Param::from_tensor(draw());
        norm.beta = Param::from_tensor(draw() - 1.0);
        let conv = conv.init(device);
        Self { conv, norm }
    }

    /// Returns the result, the gradients of input, residual and weights, and the running statistics; the loss weights
    /// every value differently.
    fn trace(&self, x: Tensor<4>, residual: Option<Tensor<4>>, activate: bool) -> Vec<Vec<f64>> {
        let (x, residual) = (x.require_grad(), residual.map(Tensor::require_grad));
        // Inner nodes instead of leaves, so that gradients are accumulated in place.
        let (inner, skip) = (x.clone() * 1.0, residual.clone().map(|r| r * 1.0));
        let y = conv_norm(&self.conv, &self.norm, inner, skip, activate);
        let weights = Tensor::<1, Int>::arange(0..y.shape().num_elements() as i64, &y.device());
        let weights = weights
            .float()
            .cast(DType::F64)
            .mul_scalar(0.37)
            .sin()
            .cast(y.dtype());
        let loss = (y.clone() * weights.reshape(y.shape())).sum();
        let grads = loss.backward();
        let mut found = vec![
            host(y),
            host(x.grad(&grads).unwrap()),
            host(self.conv.weight.val().grad(&grads).unwrap()),
            host(self.norm.gamma.val().grad(&grads).unwrap()),
            host(self.norm.beta.val().grad(&grads).unwrap()),
            host(self.norm.running_mean.value_sync()),
            host(self.norm.running_var.value_sync()),
        ];
        found.extend(residual.clone().map(|r| host(r.grad(&grads).unwrap())));
        let valid = self.valid();
        let x = x.without_autodiff();
        let residual = residual.map(Tensor::without_autodiff);
        found.push(host(conv_norm(
            &valid.conv,
            &valid.norm,
            x,
            residual,
            activate,
        )));
        found
    }
}

#[test]
fn fused_operation_matches_plain_operation() {
    // Single precision compared with double precision, for sums of a few hundred terms.
    const TOLERANCE: f64 = 1e-5;
    let _held = generator();
    let device = Device::flex().autodiff();
    for (channels, kernel, stride) in [
        ([3, 16], [3, 3], 1),
        ([16, 32], [3, 3], 2),
        ([20, 24], [1, 1], 1),
        ([6, 5], [1, 3], 2),
    ] {
        for (skips, activate) in [(false, false), (false, true), (true, false), (true, true)] {
            // Initialized twice, because clones share their running statistics; cast, because weights are drawn when
            // first used.
            device.seed(3);
            let layer = Layer::new(channels, kernel, stride, &device).map(&mut Cast(DType::F32));
            device.seed(3);
            let reference =
                Layer::new(channels, kernel, stride, &device).map(&mut Cast(DType::F64));
            let x = Tensor::<4>::random(
                [5, channels[0], 7, 10],
                Distribution::Normal(0.0, 1.0),
                &device,
            );
            let size = [7usize, 10].map(|side| side.div_ceil(stride));
            let residual = skips.then(|| {
                let shape = [5, channels[1], size[0], size[1]];
                Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device)
            });
            let expected = reference.trace(
                x.clone().cast(DType::F64),
                residual.clone().map(|r| r.cast(DType::F64)),
                activate,
            );
            let found = layer.trace(x, residual, activate);
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let distance = distance(found, expected);
                assert!(
                    distance < TOLERANCE,
                    "value {i} of {channels:?}, {kernel:?}, residual {skips}, ReLU {activate}: {distance:e}"
                );
            }
        }
    }
}

#[test]
fn network_gradients_match_plain_operation() {
    // Rounding errors grow from layer to layer; a value at the kink of a ReLU may fall on either side.
    const TOLERANCE: f64 = 2e-4;
    let _held = generator();
    let device = Device::flex().autodiff();
    let architecture = Architecture {
        body: Body::CifarResnet {
            depth: 8,
            width: 8,
            stem_stride: 1,
        },
        input: [3, 12, 10],
        classes: 4,
        head: Head::Linear,
    };
    // Initialized twice, because clones share their running statistics; cast, because weights are drawn when first
    // used.
    device.seed(5);
    let network = Network::new(&architecture, None, &device).map(&mut Cast(DType::F32));
    device.seed(5);
    let double = Network::new(&architecture, None, &device);
    let double = double.map(&mut Cast(DType::F64));
    let x = Tensor::<4>::random([6, 3, 12, 10], Distribution::Normal(0.0, 1.0), &device);
    let trace = |network: &Network, x: Tensor<4>| {
        let scores = network.scores(x);
        let loss = scores.clone().powi_scalar(3).sum();
        let grads = loss.backward();
        let mut all = vec![host(scores)];
        all.extend(gradients(network, &grads));
        all
    };
    let expected = trace(&double, x.clone().cast(DType::F64));
    let found = trace(&network, x);
    assert_eq!(found.len(), 1 + 3 * 7 + 2);
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let distance = distance(found, expected);
        assert!(distance < TOLERANCE, "value {i}: {distance:e}");
    }
}

#[test]
fn half_precision_is_close_and_does_not_change_weights() {
    // bfloat16 has 8 bits: a relative error of about 0.4 % per value, and more after eight layers. A gradient with
    // another direction, or a gradient computed in single precision by mistake, is outside these limits.
    let _held = generator();
    let device = Device::flex().autodiff();
    let architecture = Architecture {
        body: Body::CifarResnet {
            depth: 8,
            width: 8,
            stem_stride: 1,
        },
        input: [3, 12, 10],
        classes: 4,
        head: Head::Linear,
    };
    device.seed(6);
    let network = Network::new(&architecture, None, &device).map(&mut Cast(DType::F32));
    let x = Tensor::<4>::random([16, 3, 12, 10], Distribution::Normal(0.0, 1.0), &device);
    let trace = |x: Tensor<4>| {
        let scores = network.scores(x);
        assert_eq!(scores.dtype(), DType::F32);
        let grads = scores.clone().square().mean().backward();
        let weight = network.head.weight.val().grad(&grads).unwrap();
        assert_eq!(weight.dtype(), DType::F32);
        let mut all = vec![host(scores)];
        all.extend(gradients(&network, &grads));
        all
    };
    let (single, half) = (trace(x.clone()), trace(x.cast(DType::BF16)));
    assert_eq!(single.len(), 1 + 3 * 7 + 2);
    assert_eq!(half.len(), single.len());
    for (i, (half, single)) in half.iter().zip(&single).enumerate() {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine = dot(half, single) / (dot(half, half) * dot(single, single)).sqrt();
        assert!(cosine > 0.97, "value {i}: cosine {cosine}");
        assert!(
            distance(half, single) > 1e-5,
            "value {i} is not in half precision"
        );
    }
}

/// Returns the gradients of all parameters, in the module's order.
fn gradients(network: &Network, grads: &burn::tensor::Gradients) -> Vec<Vec<f64>> {
    struct Collect<'a>(&'a burn::tensor::Gradients, Vec<Vec<f64>>);
    impl burn::module::ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(param.val().grad(self.0).map(host));
        }
    }
    let mut collect = Collect(grads, Vec::new());
    network.visit(&mut collect);
    collect.1
}
