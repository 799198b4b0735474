//! One step of gradient descent, on its batch in one part or in several.

use std::mem;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::DType;

use crate::casts::{failed, to_host};
use crate::config::Precision;
use crate::error::TrainError;
use crate::networks::forget;
use crate::objective::objective;
use crate::plan::RunPlan;
use crate::sam::ascend;
use crate::state::RunState;

/// The losses of a step before the update of the weights, as means over the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepLosses {
    pub(crate) total: f32,
    pub(crate) classifier: f32,
    pub(crate) contrastive: f32,
    /// Top-1 accuracy on the classifier's views, without offsets.
    pub(crate) top1: f32,
}

/// Some images of a batch with all their views.
struct Part {
    /// `[views * images, c, h, w]`, view-major.
    x: Tensor<4>,
    /// Class of each image, listed once and not per view.
    labels: Vec<i32>,
    /// Share of the batch's images in this part.
    share: f64,
}

/// The results of a forward and backward pass over a whole batch.
struct Pass {
    /// Gradients of the batch's mean loss.
    gradients: GradientsParams,
    /// `[5]`: total loss, classifier's loss, contrastive loss, top-1, mean length of the features as the head receives
    /// them.
    seen: Tensor<1>,
    /// For each part, the features of the first view as the head receives them, `[images, dim]`.
    features: Vec<Tensor<2>>,
}

/// Makes one step of gradient descent on a batch: `values` `[views * images, c, h, w]`, view-major, and the images'
/// classes.
pub(crate) fn step(
    plan: &RunPlan<'_>,
    state: &mut RunState,
    values: Vec<f32>,
    labels: &[i32],
    rate: f64,
) -> Result<StepLosses, TrainError> {
    let parts = parts(plan, values, labels);
    let Pass {
        mut gradients,
        seen,
        features,
    } = pass(plan, state, &parts);
    if let Some(rho) = plan.config.optimizer.sam_rho {
        let above = ascend(&state.network, &gradients, rho);
        let below = mem::replace(&mut state.network, above);
        gradients = pass(plan, state, &parts).gradients;
        state.network = below;
    }
    state.network = state.optimizer.step(rate, state.network.clone(), gradients);
    // A single copy from the device, after all work is submitted, because a copy waits for all earlier work.
    let seen = to_host(seen)?;
    let [total, classifier, contrastive, top1, radius] = seen[..] else {
        return Err(failed(format!("5 losses became {seen:?}")));
    };
    state.radius = radius;
    if let Some(offsets) = state.offsets.as_mut().filter(|o| o.wants_features()) {
        for (features, part) in features.into_iter().zip(&parts) {
            offsets.push(features, &part.labels);
        }
    }
    Ok(StepLosses {
        total,
        classifier,
        contrastive,
        top1,
    })
}

/// Splits a batch into parts of at most `micro_batch` images, whose sizes differ by at most one image.
fn parts(plan: &RunPlan<'_>, values: Vec<f32>, labels: &[i32]) -> Vec<Part> {
    let images = labels.len();
    let spec = &plan.manifest.preprocess;
    let views = plan.batches.views.len();
    let size = spec.channels * spec.height * spec.width;
    let upload = |values: Vec<f32>, labels: &[i32]| Part {
        x: activations(
            plan.config.precision,
            Tensor::from_data(
                TensorData::new(
                    values,
                    [labels.len() * views, spec.channels, spec.height, spec.width],
                ),
                plan.device,
            ),
        ),
        labels: labels.to_vec(),
        share: labels.len() as f64 / images as f64,
    };
    let count = images.div_ceil(plan.config.micro_batch.unwrap_or(images));
    if count == 1 {
        return vec![upload(values, labels)];
    }
    (0..count)
        .map(|part| {
            let (from, to) = (part * images / count, (part + 1) * images / count);
            let rows = (0..views).map(|v| (v * images + from) * size..(v * images + to) * size);
            let values = rows.flat_map(|rows| &values[rows]).copied().collect();
            upload(values, &labels[from..to])
        })
        .collect()
}

/// Casts images to the number type of the layers.
fn activations(precision: Precision, x: Tensor<4>) -> Tensor<4> {
    match precision {
        Precision::F32 => x,
        Precision::Bf16 => x.cast(DType::BF16),
    }
}

/// Runs forward and backward over every part without changing the weights. Updates the running statistics once per
/// part.
fn pass(plan: &RunPlan<'_>, state: &RunState, parts: &[Part]) -> Pass {
    let mut sum = GradientsAccumulator::new();
    let mut seen: Option<Tensor<1>> = None;
    let mut features = Vec::with_capacity(parts.len());
    for part in parts {
        let features_of_part = state.network.features(part.x.clone());
        let objective = objective(plan, state, features_of_part, &part.labels);
        let inputs = state
            .network
            .head
            .inputs(objective.classified.without_autodiff());
        let mut losses = vec![objective.loss.clone(), objective.classifier];
        losses.push(match objective.contrastive {
            Some(loss) => loss,
            None => Tensor::zeros([1], plan.device),
        });
        let mut now: Vec<_> = losses.into_iter().map(Tensor::without_autodiff).collect();
        let scores = objective.scores.without_autodiff();
        now.push(top1(scores, &part.labels, plan.config.views.classifier));
        now.push(inputs.clone().square().sum_dim(1).sqrt().mean());
        let now = Tensor::cat(now, 0).mul_scalar(part.share);
        seen = Some(match seen.take() {
            None => now,
            Some(seen) => seen + now,
        });
        features.push(inputs.narrow(0, 0, part.labels.len()));
        let loss = objective.loss.mul_scalar(part.share);
        let gradients = GradientsParams::from_grads(loss.backward(), &state.network);
        forget();
        sum.accumulate(&state.network, gradients);
    }
    Pass {
        gradients: sum.grads(),
        seen: seen.unwrap_or_else(|| Tensor::zeros([5], plan.device)),
        features,
    }
}

/// Returns the share of the rows of `scores`, `[n * views, classes]`, view-major, whose largest entry is at their
/// label, `[1]`.
fn top1(scores: Tensor<2>, labels: &[i32], views: usize) -> Tensor<1> {
    let labels: Vec<i32> = std::iter::repeat_n(labels, views)
        .flatten()
        .copied()
        .collect();
    let labels = Tensor::<1, Int>::from_ints(labels.as_slice(), &scores.device());
    scores
        .argmax(1)
        .squeeze_dim::<1>(1)
        .equal(labels)
        .float()
        .mean()
}

#[cfg(test)]
mod tests;
