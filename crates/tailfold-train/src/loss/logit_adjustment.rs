//! Logit adjustment: cross-entropy over scores shifted by the logarithm of the training prior.

use burn::prelude::*;

use super::ot_dynamic::ot_dynamic_softmax;

/// Shift of the scores by logit adjustment: `tau log(n_j / N)`, `[C]`, in logits.
///
/// `counts [C]` is the number of training images per class; all counts are positive.
pub fn log_prior(counts: &[u64], tau: f64) -> Vec<f64> {
    let all = counts.iter().sum::<u64>() as f64;
    counts
        .iter()
        .map(|&n| tau * (n as f64 / all).ln())
        .collect()
}

/// The logit-adjusted loss (Menon et al., ICLR 2021, eq. 10), mean over the batch.
///
/// `scores [n, C]`, `shift [C]` from [`log_prior`], `labels [n]`:
/// `-1/n sum_i log(prior_y^tau e^(scores_iy) / sum_j prior_j^tau e^(scores_ij))` with `y = labels_i`. `tau = 1` is the
/// balanced softmax (Ren et al., NeurIPS 2020). The deployed scores are without the shift.
pub fn logit_adjusted(scores: Tensor<2>, shift: Tensor<1>, labels: Tensor<1, Int>) -> Tensor<1> {
    ot_dynamic_softmax(scores, shift, labels)
}
