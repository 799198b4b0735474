//! A convolution and its batch normalization, as modules.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::prelude::*;
use tailfold_spec::{ConvNorm, Fan, Plan};

use super::layers::activated;

/// A convolution without bias and its BatchNorm.
#[derive(Module, Debug)]
pub(crate) struct Layer {
    conv: Conv2d,
    pub(super) norm: BatchNorm,
    #[module(skip)]
    spec: ConvNorm,
}

/// Creates the modules of `spec` with the initial values of `plan`: random weights from the device's generator, scales
/// of 1, shifts of 0.
pub(super) fn modules(spec: &ConvNorm, plan: &Plan, device: &Device) -> (Conv2d, BatchNorm) {
    let [top, left, bottom, right] = spec.pads;
    let initializer = match plan.fan {
        Fan::In => Initializer::KaimingNormal {
            gain: std::f64::consts::SQRT_2,
            fan_out_only: false,
        },
        Fan::Out => normal(spec.to * spec.kernel * spec.kernel),
        Fan::OutOfGroup => normal(spec.to / spec.groups * spec.kernel * spec.kernel),
    };
    let conv = Conv2dConfig::new([spec.from, spec.to], [spec.kernel; 2])
        .with_stride([spec.stride; 2])
        .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
        .with_groups(spec.groups)
        .with_bias(false)
        .with_initializer(initializer)
        .init(device);
    let norm = BatchNormConfig::new(spec.to)
        .with_epsilon(plan.epsilon)
        .init(device);
    (conv, norm)
}

fn normal(fan: usize) -> Initializer {
    Initializer::Normal {
        mean: 0.0,
        std: (2.0 / fan as f64).sqrt(),
    }
}

impl Layer {
    pub(super) fn new(spec: &ConvNorm, plan: &Plan, device: &Device) -> Self {
        let (conv, norm) = modules(spec, plan, device);
        let spec = spec.clone();
        Self { conv, norm, spec }
    }

    /// Maps `[n, from, h, w]` to `[n, to, h', w']`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        activated(&self.conv, &self.norm, x, None, self.spec.activation)
    }
}
