//! OT-dynamic softmax: cross-entropy over scores shifted by the transport offsets.

use burn::prelude::*;

use super::cross_entropy::cross_entropy;

/// Cross-entropy over scores shifted by the current offsets, mean over the batch.
///
/// `scores [n, C]`, `shift [C]` (the offsets with their sign, no gradient), `labels [n]`:
/// `-1/n sum_i log softmax(scores_i + shift)[labels_i]`. With `shift = 0` this is plain cross-entropy; with
/// `shift = log prior` it is [`logit_adjusted`](super::logit_adjusted). The offsets solve the semi-discrete transport
/// problem and are refreshed during training (Jin et al., JCST 40(1), 2025; the choices that the paper leaves open are
/// tailfold's).
pub fn ot_dynamic_softmax(
    scores: Tensor<2>,
    shift: Tensor<1>,
    labels: Tensor<1, Int>,
) -> Tensor<1> {
    cross_entropy(scores + shift.detach().unsqueeze_dim::<2>(0), labels)
}
