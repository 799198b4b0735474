//! The two losses: OT-dynamic softmax and supervised contrastive.

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

/// Cross-entropy over scores moved by the current offsets, mean over the batch.
///
/// `scores [n, C]`, `shift [C]` (the offsets with their sign, no gradient), `labels [n]`:
/// `-1/n sum_i log softmax(scores_i + shift)[labels_i]`. With `shift = 0` this is plain cross-entropy; with
/// `shift = log prior` it is the logit-adjusted loss of Menon et al. (ICLR 2021). The offsets are those of the
/// semi-discrete transport problem, refreshed while training runs (Jin et al., JCST 40(1), 2025; the reading is ours).
pub fn ot_dynamic_softmax(
    scores: Tensor<2>,
    shift: Tensor<1>,
    labels: Tensor<1, Int>,
) -> Tensor<1> {
    let moved = scores + shift.detach().unsqueeze_dim::<2>(0);
    log_softmax(moved, 1)
        .gather(1, labels.unsqueeze_dim::<2>(1))
        .mean()
        .neg()
}

/// Supervised contrastive loss, the form with the sum outside the logarithm (Khosla et al., NeurIPS 2020, eq. 2).
///
/// `points [n, p]` on the unit sphere, `labels [n]`, `temperature > 0`. An anchor without another point of its class has
/// no positives and is left out of the mean; with no anchor left the loss is 0.
pub fn supervised_contrastive(
    points: Tensor<2>,
    labels: Tensor<1, Int>,
    temperature: f64,
) -> Tensor<1> {
    let [n, _] = points.dims();
    if n < 2 {
        // The log-sum-exp over no other point would be minus infinity, and the loss NaN.
        return points.mul_scalar(0.0).sum();
    }
    let device = points.device();
    let logits = points
        .clone()
        .matmul(points.transpose())
        .div_scalar(temperature);
    let dtype = logits.dtype();
    // `diag_mask` is false on the diagonal.
    let others = Tensor::<2, Bool>::diag_mask([n, n], 0, &device);
    let same = labels
        .clone()
        .unsqueeze_dim::<2>(1)
        .repeat_dim(1, n)
        .equal(labels.unsqueeze_dim::<2>(0).repeat_dim(0, n));
    let positives = same.bool_and(others.clone()).float().cast(dtype);
    // Masked only inside the log-sum-exp: minus infinity times a zero weight would be NaN.
    let masked = logits
        .clone()
        .mask_fill(others.bool_not(), f32::NEG_INFINITY);
    let top = masked.clone().max_dim(1).detach();
    let log_sum = (masked - top.clone()).exp().sum_dim(1).log() + top;
    let count = positives.clone().sum_dim(1);
    let per_anchor =
        (positives * (logits - log_sum)).sum_dim(1).neg() / count.clone().clamp_min(1.0);
    let counted = count.greater_scalar(0.0).float().cast(dtype);
    let anchors = counted.clone().sum().clamp_min(1.0);
    (per_anchor * counted).sum() / anchors
}

#[cfg(test)]
mod tests;
