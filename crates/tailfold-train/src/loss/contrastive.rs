//! Supervised contrastive loss: pulls points of one class together and pushes other points away.

use burn::prelude::*;

use super::{log_sum_exp, same_class};

/// Supervised contrastive loss, the form with the sum outside the logarithm (Khosla et al., NeurIPS 2020, eq. 2).
///
/// `points [n, p]` are on the unit sphere; `labels [n]`, `temperature > 0`. With `P(i)` the other points of anchor
/// `i`'s class, the anchor's loss is `-1/|P(i)| sum_(p in P(i)) log(e^(z_i.z_p / t) / sum_(k != i) e^(z_i.z_k / t))`;
/// the result is the mean over the anchors. An anchor without another point of its class has no positives and is left
/// out; if no anchor is left, the loss is 0.
pub fn supervised_contrastive(
    points: Tensor<2>,
    labels: Tensor<1, Int>,
    temperature: f64,
) -> Tensor<1> {
    let [n, _] = points.dims();
    if n < 2 {
        // Without another point, the log-sum-exp would be minus infinity, and the loss NaN.
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
    let positives = same_class(labels.clone(), labels)
        .bool_and(others.clone())
        .float()
        .cast(dtype);
    let log_sum = log_sum_exp(logits.clone(), others);
    let count = positives.clone().sum_dim(1);
    let per_anchor =
        (positives * (logits - log_sum)).sum_dim(1).neg() / count.clone().clamp_min(1.0);
    let counted = count.greater_scalar(0.0).float().cast(dtype);
    let anchors = counted.clone().sum().clamp_min(1.0);
    (per_anchor * counted).sum() / anchors
}
