//! Balanced contrastive loss: every class has the same weight in the contrast, and a prototype.

use burn::prelude::*;

use super::{every_class, log_sum_exp, same_class};

/// Balanced contrastive loss (Zhu et al., CVPR 2022).
///
/// `points [n, p]` and `prototypes [C, p]`, one per class, are on the unit sphere; `labels [n]`, `temperature > 0`. For
/// anchor `i`, `A_j` contains the prototype of class `j` and the other points of that class. The anchor's loss is
/// `-1/|A_y| sum_(a in A_y) log(e^(z_i.a / t) / sum_j 1/|A_j| sum_(k in A_j) e^(z_i.k / t))` with `y = labels_i`; the
/// result is the mean over the anchors. *Class averaging*, the factor `1/|A_j|`, keeps frequent classes from dominating
/// the denominator; *class complement*, the prototypes, puts every class into every batch, so that each anchor has a
/// positive.
///
/// The gradient flows to both points and prototypes.
pub fn balanced_contrastive(
    points: Tensor<2>,
    prototypes: Tensor<2>,
    labels: Tensor<1, Int>,
    temperature: f64,
) -> Tensor<1> {
    let ([n, _], [classes, _]) = (points.dims(), prototypes.dims());
    let (device, dtype) = (points.device(), points.dtype());
    let members = Tensor::cat(vec![labels.clone(), every_class(classes, &device)], 0);
    let logits = points
        .clone()
        .matmul(Tensor::cat(vec![points, prototypes], 0).transpose())
        .div_scalar(temperature);
    // `diag_mask` is false on the diagonal: a point is not contrasted with itself.
    let others = Tensor::<2, Bool>::diag_mask([n, n + classes], 0, &device);
    let same = same_class(labels, members.clone());
    // |A_j| of each entry's class: points and prototype of the class, without the anchor itself.
    let sizes = same_class(members.clone(), every_class(classes, &device))
        .float()
        .cast(dtype)
        .sum_dim(0)
        .squeeze_dim::<1>(0)
        .select(0, members)
        .unsqueeze_dim::<2>(0)
        - same.clone().float().cast(dtype);
    let log_sum = log_sum_exp(logits.clone() - sizes.log(), others.clone());
    let positives = same.bool_and(others).float().cast(dtype);
    let count = positives.clone().sum_dim(1);
    let per_anchor = (positives * (logits - log_sum)).sum_dim(1).neg() / count;
    per_anchor.mean()
}
