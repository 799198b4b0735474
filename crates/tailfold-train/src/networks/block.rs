//! A block: consecutive convolutions and the shortcut around them.

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use tailfold_spec::{Plan, Shortcut};

use super::layer::{Layer, modules};
use super::layers::{activated, subsample_and_widen};

/// Two or three convolutions and the shortcut around them.
#[derive(Module, Debug)]
pub(super) struct Block {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    conv3: Option<Conv2d>,
    norm3: Option<BatchNorm>,
    shortcut: Option<Layer>,
    #[module(skip)]
    spec: tailfold_spec::Block,
}

impl Block {
    /// Builds the block `spec` of `plan`.
    pub(super) fn new(spec: &tailfold_spec::Block, plan: &Plan, device: &Device) -> Self {
        let [first, second] = &spec.convs;
        let (conv1, norm1) = modules(first, plan, device);
        let (conv2, norm2) = modules(second, plan, device);
        let third = spec.third.as_ref();
        let (conv3, norm3) = third.map(|third| modules(third, plan, device)).unzip();
        let shortcut = match &spec.shortcut {
            Shortcut::Projection(layer) => Some(Layer::new(layer, plan, device)),
            _ => None,
        };
        Self {
            conv1,
            norm1,
            conv2,
            norm2,
            conv3,
            norm3,
            shortcut,
            spec: spec.clone(),
        }
    }

    /// Maps `[n, from, h, w]` to `[n, to, h', w']`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let residual = self.residual(&x);
        let [first, second] = &self.spec.convs;
        let y = activated(&self.conv1, &self.norm1, x, None, first.activation);
        let (conv2, norm2) = (&self.conv2, &self.norm2);
        match (&self.spec.third, &self.conv3, &self.norm3) {
            (Some(third), Some(conv3), Some(norm3)) => {
                let y = activated(conv2, norm2, y, None, second.activation);
                activated(conv3, norm3, y, residual, third.activation)
            }
            _ => activated(conv2, norm2, y, residual, second.activation),
        }
    }

    /// Returns the tensor added to the last convolution, `[n, to, h', w']`.
    fn residual(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        match (&self.spec.shortcut, &self.shortcut) {
            (Shortcut::None, _) => None,
            (Shortcut::Thinned { stride }, _) => {
                Some(subsample_and_widen(x.clone(), self.spec.end().to, *stride))
            }
            (_, Some(projection)) => Some(projection.forward(x.clone())),
            (_, None) => Some(x.clone()),
        }
    }
}
