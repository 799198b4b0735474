//! Focal loss: cross-entropy with less weight on samples that are already classified well.

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

use super::{every_class, log_sum_exp, same_class};

/// Focal loss without class weights (Lin et al., ICCV 2017, eq. 4), mean over the batch.
///
/// `scores [n, C]` with `C >= 2`, `labels [n]`, `gamma >= 0`: `-1/n sum_i (1 - p_i)^gamma log p_i` with
/// `p_i = softmax(scores_i)[labels_i]`. With `gamma = 0` it is cross-entropy.
///
/// `log(1 - p)` is computed as the log-sum-exp of the other classes: `1 - p` itself rounds to 0 for a confident sample,
/// and its power has no finite derivative there for `gamma < 1`.
pub fn focal(scores: Tensor<2>, labels: Tensor<1, Int>, gamma: f64) -> Tensor<1> {
    let [_, classes] = scores.dims();
    let others = same_class(labels.clone(), every_class(classes, &scores.device())).bool_not();
    let log_p = log_softmax(scores, 1);
    let log_rest = log_sum_exp(log_p.clone(), others);
    let log_p = log_p.gather(1, labels.unsqueeze_dim::<2>(1));
    (log_rest.mul_scalar(gamma).exp() * log_p).mean().neg()
}
