//! LDAM: a margin per class, wider for rarer classes.

use burn::prelude::*;

use super::cross_entropy::costs;
use super::{every_class, same_class};

/// Margins of LDAM: `n_j^(-1/4)`, scaled so that the rarest class has `largest`; `[C]`, in the unit of `largest`.
///
/// `counts [C]` is the number of training images per class; all counts are positive.
pub fn ldam_margins(counts: &[u64], largest: f64) -> Vec<f64> {
    let raw: Vec<f64> = counts.iter().map(|&n| (n as f64).powf(-0.25)).collect();
    let top = raw.iter().copied().fold(0.0, f64::max);
    raw.iter().map(|m| m * (largest / top)).collect()
}

/// Label-distribution-aware margin loss (Cao et al., NeurIPS 2019).
///
/// `scores [n, C]`, `labels [n]`, `margins [C]` in the scores' unit without gradient. With `y = labels_i`, the loss of
/// sample `i` is the cross-entropy after `margins_y` is subtracted from its own class's score. With scores `s cos` and
/// margins `s m_j` this is the published loss of scale `s`.
///
/// `weights [C]` are class weights without gradient. With weights, the loss is the weighted mean
/// `sum_i w_y cost_i / sum_i w_y`, so a batch of a single class has the same loss with and without weights; without
/// weights, it is the plain mean.
pub fn ldam(
    scores: Tensor<2>,
    labels: Tensor<1, Int>,
    margins: Tensor<1>,
    weights: Option<Tensor<1>>,
) -> Tensor<1> {
    let ([n, classes], device) = (scores.dims(), scores.device());
    let own = same_class(labels.clone(), every_class(classes, &device));
    let margins = margins.detach().unsqueeze_dim::<2>(0).expand([n, classes]);
    let moved = scores - margins.mask_fill(own.bool_not(), 0.0);
    let costs = costs(moved, labels.clone());
    match weights {
        None => costs.mean(),
        Some(weights) => {
            let weights = weights.detach().select(0, labels);
            (costs * weights.clone()).sum() / weights.sum()
        }
    }
}
