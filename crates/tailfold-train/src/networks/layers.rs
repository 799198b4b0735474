//! Layers that the networks share.

mod buffers;
mod channels_last;
mod conv_norm;
mod gradients;
mod pool;
mod shortcut;

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use tailfold_spec::Activation;

pub(crate) use conv_norm::{conv_norm, plain as plain_conv_norm};
pub(crate) use gradients::forget;
pub(crate) use pool::mean_pixel;
pub(crate) use shortcut::subsample_and_widen;

/// Runs [`conv_norm`], followed by any activation.
pub(crate) fn activated(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let y = conv_norm(conv, norm, x, residual, activation == Activation::Relu);
    match activation {
        Activation::Relu6 => y.clamp(0.0, 6.0),
        Activation::Relu | Activation::Linear => y,
    }
}
