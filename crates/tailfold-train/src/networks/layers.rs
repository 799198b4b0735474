//! Layers that the networks share.

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use burn::tensor::activation::relu;
use tailfold_spec::Activation;

/// Convolution, batch normalisation, an optional `residual` of the result's shape, and a ReLU when `activate`.
///
/// `x`: `[n, c_in, h, w]`; the result: `[n, c_out, h', w']`.
pub(crate) fn conv_norm(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activate: bool,
) -> Tensor<4> {
    let y = norm.forward(conv.forward(x));
    let y = match residual {
        Some(residual) => y + residual,
        None => y,
    };
    if activate { relu(y) } else { y }
}

/// [`conv_norm`] with any activation after it.
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
