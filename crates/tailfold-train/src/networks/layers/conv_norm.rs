//! Convolution, batch normalization, residual and activation as one differentiable operation.

mod flex;

use burn::backend::Dispatch;
use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::relu;

use super::channels_last::is_ours;
use flex::{FusedInference, FusedTraining, Options, Residual, Statistics};

/// Computes a convolution, a batch normalization, the sum with an optional `residual` of the result's shape, and a ReLU
/// if `activate`.
///
/// `x` is `[n, c_in, h, w]`; the result is `[n, c_out, h', w']`. On the CPU, the result is channels-last.
pub(crate) fn conv_norm(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activate: bool,
) -> Tensor<4> {
    let trains = x.device().is_autodiff();
    match options(conv, norm, &x, activate) {
        Some(options) if trains && norm.training.is_enabled() => {
            fused_training(conv, norm, x, residual, options)
        }
        Some(options) if !trains => fused_inference(conv, norm, x, residual, options),
        _ => plain(conv, norm, x, residual, activate),
    }
}

/// Computes [`conv_norm`] with the back end's own operations. In half precision, only the convolution and the result
/// are half; the statistics and the sum with the residual are in single precision.
pub(crate) fn plain(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activate: bool,
) -> Tensor<4> {
    let (outside, inside) = (x.dtype(), norm.gamma.val().dtype());
    let y = if outside == inside {
        conv.forward(x)
    } else {
        in_precision_of_images(conv, x).cast(inside)
    };
    let y = norm.forward(y);
    let y = match residual {
        Some(residual) => y + residual.cast(inside),
        None => y,
    };
    let y = if activate { relu(y) } else { y };
    y.cast(outside)
}

/// Runs the convolution in the number type of `x`; the weight and its gradient keep their own type.
fn in_precision_of_images(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let kind = x.dtype();
    let mut half = conv.clone();
    // `from_tensor` would start a separate graph.
    half.weight = Param::initialized(conv.weight.id, conv.weight.val().cast(kind));
    half.bias = conv
        .bias
        .as_ref()
        .map(|bias| Param::initialized(bias.id, bias.val().cast(kind)));
    half.forward(x)
}

/// Returns the options of the fused operation; `None` if the operation does not support this layer.
fn options(conv: &Conv2d, norm: &BatchNorm, x: &Tensor<4>, activate: bool) -> Option<Options> {
    let padding = match conv.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            [top, left]
        }
        _ => return None,
    };
    let plain = conv.groups == 1 && conv.dilation == [1, 1] && conv.bias.is_none();
    let ours = is_ours(x) && is_ours(&conv.weight.val()) && is_ours(&norm.gamma.val());
    (plain && ours).then_some(Options {
        stride: conv.stride,
        padding,
        epsilon: norm.epsilon,
        activate,
    })
}

fn absent_or(residual: Option<Tensor<4>>) -> Residual<Dispatch> {
    match residual {
        Some(residual) => Residual::Images(residual.into_dispatch()),
        None => Residual::Absent,
    }
}

fn fused_training(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    options: Options,
) -> Tensor<4> {
    let output = Dispatch::conv_norm(
        x.into_dispatch(),
        conv.weight.val().into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        absent_or(residual),
        options,
    );
    // As in `BatchNorm`: the running variance is the biased one, and `momentum` is the share of the new value.
    let blend = |old: Tensor<1>, new: Tensor<1>| {
        let kept = old.mul_scalar(1.0 - norm.momentum);
        kept.add(new.detach().mul_scalar(norm.momentum)).detach()
    };
    let mean = Tensor::from_dispatch(output.mean);
    let variance = Tensor::from_dispatch(output.variance);
    let mean = blend(norm.running_mean.value_sync(), mean);
    let variance = blend(norm.running_var.value_sync(), variance);
    norm.running_mean.update(mean);
    norm.running_var.update(variance);
    Tensor::from_dispatch(output.y)
}

fn fused_inference(
    conv: &Conv2d,
    norm: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    options: Options,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::conv_norm_inference(
        x.into_dispatch(),
        conv.weight.val().into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        Statistics {
            mean: norm.running_mean.value().into_dispatch(),
            variance: norm.running_var.value().into_dispatch(),
        },
        absent_or(residual),
        options,
    ))
}

#[cfg(test)]
mod tests;
