//! Cross-entropy: the baseline, and the last part of every loss that only shifts the scores.

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

/// Cross-entropy, mean over the batch: `-1/n sum_i log softmax(scores_i)[labels_i]`.
///
/// `scores [n, C]`, `labels [n]`.
pub fn cross_entropy(scores: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    costs(scores, labels).mean()
}

/// Returns the cross-entropy of each sample, `[n]`.
pub(super) fn costs(scores: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(scores, 1)
        .gather(1, labels.unsqueeze_dim::<2>(1))
        .squeeze_dim::<1>(1)
        .neg()
}
