//! A plan as modules: every network below its head.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::prelude::*;
use tailfold_spec::{ConvNorm, Fan, MaxPool, Plan};

use super::block::Block;
use super::layers::{activated, mean_pixel};

/// A convolution without bias and its BatchNorm.
#[derive(Module, Debug)]
pub(crate) struct Layer {
    conv: Conv2d,
    norm: BatchNorm,
    #[module(skip)]
    spec: ConvNorm,
}

/// The network below the head; its tensors have the names of [`ConvNorm::part`].
#[derive(Module, Debug)]
pub(crate) struct Body {
    stem: Layer,
    blocks: Vec<Block>,
    last: Option<Layer>,
    #[module(skip)]
    pool: Option<MaxPool>,
}

/// Modules of `spec` as `plan` begins them: weights from the device's generator, scales of 1, shifts of 0.
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

    /// `[n, from, h, w]` to `[n, to, h', w']`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        activated(&self.conv, &self.norm, x, None, self.spec.activation)
    }
}

impl Body {
    /// Builds the layers of `plan`.
    pub(crate) fn new(plan: &Plan, device: &Device) -> Self {
        let layer = |spec: &ConvNorm| Layer::new(spec, plan, device);
        Self {
            stem: layer(&plan.stem),
            blocks: plan
                .blocks
                .iter()
                .map(|block| Block::new(block, plan, device))
                .collect(),
            last: plan.last.as_ref().map(layer),
            pool: plan.pool.clone(),
        }
    }

    /// Images `[n, c, h, w]`, in the number type that the convolutions work in, to features `[n, feature_dim]` in that of
    /// the weights.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.stem.forward(x);
        if let Some(pool) = &self.pool {
            x = max_pool(pool, x);
        }
        for block in &self.blocks {
            x = block.forward(x);
        }
        if let Some(last) = &self.last {
            x = last.forward(x);
        }
        mean_pixel(x.cast(self.stem.norm.gamma.val().dtype()))
    }
}

fn max_pool(pool: &MaxPool, x: Tensor<4>) -> Tensor<4> {
    let [top, left, bottom, right] = pool.pads;
    MaxPool2dConfig::new([pool.kernel; 2])
        .with_strides([pool.stride; 2])
        .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
        .init()
        .forward(x)
}
