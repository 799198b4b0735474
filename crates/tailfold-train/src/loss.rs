//! The losses for the classifier and for the projected features, one file each.
//!
//! All losses take the scores or points of a whole batch and return the mean, `[1]`, in the autodiff graph. Logarithms
//! of sums are computed relative to the largest term, so any finite input has a finite loss and gradient.

mod balanced_contrastive;
mod contrastive;
mod cross_entropy;
mod focal;
mod ldam;
mod logit_adjustment;
mod ot_dynamic;
mod reweighting;

use burn::prelude::*;

pub use balanced_contrastive::balanced_contrastive;
pub use contrastive::supervised_contrastive;
pub use cross_entropy::cross_entropy;
pub use focal::focal;
pub use ldam::{ldam, ldam_margins};
pub use logit_adjustment::{log_prior, logit_adjusted};
pub use ot_dynamic::ot_dynamic_softmax;
pub use reweighting::effective_number_weights;

/// Computes the logarithm of the sum of each row's exponentials, `[n, m]` to `[n, 1]`, over the entries where `keep` is
/// true.
///
/// Every row must keep at least one entry. The mask applies only in here: minus infinity times a zero weight would be
/// NaN.
fn log_sum_exp(logits: Tensor<2>, keep: Tensor<2, Bool>) -> Tensor<2> {
    let masked = logits.mask_fill(keep.bool_not(), f32::NEG_INFINITY);
    let top = masked.clone().max_dim(1).detach();
    (masked - top.clone()).exp().sum_dim(1).log() + top
}

/// Returns where two lists of classes agree: `[n]` and `[m]` to `[n, m]`.
fn same_class(rows: Tensor<1, Int>, columns: Tensor<1, Int>) -> Tensor<2, Bool> {
    let ([n], [m]) = (rows.dims(), columns.dims());
    rows.unsqueeze_dim::<2>(1)
        .expand([n, m])
        .equal(columns.unsqueeze_dim::<2>(0).expand([n, m]))
}

/// Returns the classes `0..classes` as labels.
fn every_class(classes: usize, device: &Device) -> Tensor<1, Int> {
    let end = i64::try_from(classes).unwrap_or(i64::MAX);
    Tensor::arange(0..end, device)
}

#[cfg(test)]
mod tests;
