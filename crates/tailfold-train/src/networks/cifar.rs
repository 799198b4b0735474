//! CIFAR-style residual networks (He et al., CVPR 2016, section 4.2) with option-A shortcuts.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::prelude::*;
use tailfold_spec::Architecture;

use super::layers::{conv_norm, mean_pixel, subsample_and_widen};

/// One residual block: two 3x3 convolutions and a shortcut without parameters.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    #[module(skip)]
    stride: usize,
}

/// Convolution and normalisation in front of the first stage.
#[derive(Module, Debug)]
struct Stem {
    conv: Conv2d,
    norm: BatchNorm,
}

/// The network below the head.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: Stem,
    blocks: Vec<Block>,
}

fn conv3x3(from: usize, to: usize, stride: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([from, to], [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal {
            gain: std::f64::consts::SQRT_2,
            fan_out_only: false,
        })
        .init(device)
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        Self {
            conv1: conv3x3(from, to, stride, device),
            norm1: BatchNormConfig::new(to).init(device),
            conv2: conv3x3(to, to, 1, device),
            norm2: BatchNormConfig::new(to).init(device),
            stride,
        }
    }

    /// `[n, from, h, w]` to `[n, to, ceil(h / stride), ceil(w / stride)]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [to, _, _, _] = self.conv2.weight.dims();
        let y = conv_norm(&self.conv1, &self.norm1, x.clone(), None, true);
        let residual = subsample_and_widen(x, to, self.stride);
        conv_norm(&self.conv2, &self.norm2, y, Some(residual), true)
    }
}

impl ResNet {
    /// Builds the body of `arch` with Kaiming-normal weights from the device's generator.
    pub fn new(arch: &Architecture, device: &Device) -> Self {
        let stem = Stem {
            conv: conv3x3(arch.input[0], arch.width, arch.stem_stride, device),
            norm: BatchNormConfig::new(arch.width).init(device),
        };
        let blocks = arch
            .blocks()
            .into_iter()
            .map(|(from, to, stride)| Block::new(from, to, stride, device))
            .collect();
        Self { stem, blocks }
    }

    /// Images `[n, c, h, w]` to features `[n, feature_dim]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = conv_norm(&self.stem.conv, &self.stem.norm, x, None, true);
        for block in &self.blocks {
            x = block.forward(x);
        }
        mean_pixel(x)
    }
}
