//! The objective of a step: the classifier's loss and the contrastive loss.

mod classifier;

use burn::prelude::*;

use crate::loss::{balanced_contrastive, supervised_contrastive};
use crate::networks::Network;
use crate::plan::RunPlan;
use crate::state::RunState;

pub(crate) use classifier::ClassifierLoss;

/// The terms of one batch, all in the autodiff graph.
pub(crate) struct Objective {
    /// The weighted sum, `[1]`.
    pub(crate) loss: Tensor<1>,
    /// The classifier's loss, `[1]`.
    pub(crate) classifier: Tensor<1>,
    /// The contrastive loss before its weight, `[1]`.
    pub(crate) contrastive: Option<Tensor<1>>,
    /// Features of the classifier's views, `[n * views, dim]`, view-major.
    pub(crate) classified: Tensor<2>,
    /// Raw scores of the classifier's views, `[n * views, classes]`, without offsets.
    pub(crate) scores: Tensor<2>,
}

/// Repeats `labels` once per view, on `device`.
fn repeated(labels: &[i32], views: usize, device: &Device) -> Tensor<1, Int> {
    let repeated: Vec<i32> = std::iter::repeat_n(labels, views)
        .flatten()
        .copied()
        .collect();
    Tensor::from_ints(repeated.as_slice(), device)
}

/// Computes the objective of `features`, `[n * all views, dim]`, view-major, for images with `labels`, `[n]`.
pub(crate) fn objective(
    plan: &RunPlan<'_>,
    state: &RunState,
    features: Tensor<2>,
    labels: &[i32],
) -> Objective {
    let network = &state.network;
    let views = &plan.config.views;
    let finished = state.reports.len() as f64 / plan.config.epochs as f64;
    let [all, dim] = features.dims();
    let rows = labels.len() * views.classifier;
    let classified = features.clone().slice([0..rows, 0..dim]);
    let scores = network.head.forward(classified.clone());
    let classifier = plan.classifier_loss.value(
        scores.clone(),
        repeated(labels, views.classifier, plan.device),
        finished,
        state.offsets.as_ref(),
    );
    let contrastive = (&plan.config.contrastive, &network.projection);
    let (loss, contrastive) = match contrastive {
        (Some(config), Some(projection)) => {
            let (points, count) = if views.contrastive == 0 {
                (classified.clone(), views.classifier)
            } else {
                (features.slice([rows..all, 0..dim]), views.contrastive)
            };
            let labels = repeated(labels, count, plan.device);
            let points = projection.forward(points);
            let contrastive = contrast(network, config.temperature, points, labels);
            let loss = classifier.clone() + contrastive.clone().mul_scalar(config.weight);
            (loss, Some(contrastive))
        }
        _ => (classifier.clone(), None),
    };
    Objective {
        loss,
        classifier,
        contrastive,
        classified,
        scores,
    }
}

/// Computes the contrastive loss of projected `points`, `[n, out]`, with `labels`, `[n]`.
///
/// A network with a projection of its classifier's weights has prototypes and uses the balanced loss. The prototypes
/// are projected from the stored weights without scaling or normalization, as published, and their gradient flows into
/// the weights.
fn contrast(
    network: &Network,
    temperature: f64,
    points: Tensor<2>,
    labels: Tensor<1, Int>,
) -> Tensor<1> {
    match &network.prototypes {
        Some(prototypes) => {
            let prototypes = prototypes.forward(network.head.weight.val());
            balanced_contrastive(points, prototypes, labels, temperature)
        }
        None => supervised_contrastive(points, labels, temperature),
    }
}
