//! The body of a network, built from a plan.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use tailfold_spec::{ConvNorm, MaxPool, Plan};

use super::block::Block;
use super::layer::Layer;
use super::layers::mean_pixel;

/// The network below the head; its tensors are named by [`ConvNorm::part`].
#[derive(Module, Debug)]
pub(crate) struct Body {
    stem: Layer,
    blocks: Vec<Block>,
    last: Option<Layer>,
    #[module(skip)]
    pool: Option<MaxPool>,
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

    /// Maps images `[n, c, h, w]`, in the number type of the convolutions, to features `[n, feature_dim]` in the number
    /// type of the weights.
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
