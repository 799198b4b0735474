//! One step of gradient descent, its batch in one part or in several.

use std::mem;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::DType;

use crate::config::Precision;
use crate::error::TrainError;
use crate::evaluate::to_host;
use crate::networks::forget;
use crate::run::Run;
use crate::sam::ascend;

/// What a step saw before it moved the weights: means over the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepLosses {
    pub(crate) total: f32,
    pub(crate) classifier: f32,
    pub(crate) contrastive: f32,
    /// Share of the classifier's views whose class has the largest score, without offsets.
    pub(crate) top1: f32,
}

/// Some images of a batch with all their views.
pub(crate) struct Part {
    /// `[views * images, c, h, w]`, view-major.
    pub(crate) x: Tensor<4>,
    /// Class of each image, once.
    pub(crate) labels: Vec<i32>,
    /// Share of the batch's images.
    pub(crate) share: f64,
}

/// What a pass forward and back over a whole batch gives.
pub(crate) struct Pass {
    /// Of the batch's mean loss.
    pub(crate) gradients: GradientsParams,
    /// `[5]`: total loss, classifier's, contrastive, top-1, mean length of the features under the head.
    seen: Tensor<1>,
    /// Each part's features as the head sees them, `[images, dim]`, the first view's.
    features: Vec<Tensor<2>>,
}

impl Run<'_> {
    /// One step of gradient descent on a batch: `values` `[views * images, c, h, w]`, view-major, and the images' classes.
    pub(crate) fn step(
        &mut self,
        values: Vec<f32>,
        labels: &[i32],
        rate: f64,
    ) -> Result<StepLosses, TrainError> {
        let parts = self.parts(values, labels);
        let Pass {
            mut gradients,
            seen,
            features,
        } = self.pass(&parts);
        if let Some(rho) = self.config.optimizer.sam_rho {
            let above = ascend(&self.network, &gradients, rho);
            let below = mem::replace(&mut self.network, above);
            gradients = self.pass(&parts).gradients;
            self.network = below;
        }
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        // One copy from the device, after everything was handed to it: a copy waits for all that came before.
        let seen = to_host(seen)?;
        let [total, classifier, contrastive, top1, radius] = seen[..] else {
            return Err(TrainError::Device(format!("5 losses became {seen:?}")));
        };
        self.radius = radius;
        if let Some(offsets) = self.offsets.as_mut().filter(|o| o.wants_features()) {
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

    /// A batch in parts of at most `micro_batch` images, of sizes that differ by one image at most.
    fn parts(&self, values: Vec<f32>, labels: &[i32]) -> Vec<Part> {
        let images = labels.len();
        let spec = &self.manifest.preprocess;
        let views = self.plan.views.len();
        let size = spec.channels * spec.height * spec.width;
        let upload = |values: Vec<f32>, labels: &[i32]| Part {
            x: self.activations(Tensor::from_data(
                TensorData::new(
                    values,
                    [labels.len() * views, spec.channels, spec.height, spec.width],
                ),
                self.device,
            )),
            labels: labels.to_vec(),
            share: labels.len() as f64 / images as f64,
        };
        let count = images.div_ceil(self.config.micro_batch.unwrap_or(images));
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

    /// Images in the number type that the layers go on with.
    fn activations(&self, x: Tensor<4>) -> Tensor<4> {
        match self.config.precision {
            Precision::F32 => x,
            Precision::Bf16 => x.cast(DType::BF16),
        }
    }

    /// Forward and back over every part, with the network as it is. Updates the running statistics once a part.
    pub(crate) fn pass(&self, parts: &[Part]) -> Pass {
        let mut sum = GradientsAccumulator::new();
        let mut seen: Option<Tensor<1>> = None;
        let mut features = Vec::with_capacity(parts.len());
        for part in parts {
            let objective = self.objective(self.network.features(part.x.clone()), &part.labels);
            let inputs = self
                .network
                .head
                .inputs(objective.classified.without_autodiff());
            let mut losses = vec![objective.loss.clone(), objective.classifier];
            losses.push(match objective.contrastive {
                Some(loss) => loss,
                None => Tensor::zeros([1], self.device),
            });
            let mut now: Vec<_> = losses.into_iter().map(Tensor::without_autodiff).collect();
            now.push(self.top1(objective.scores.without_autodiff(), &part.labels));
            now.push(inputs.clone().square().sum_dim(1).sqrt().mean());
            let now = Tensor::cat(now, 0).mul_scalar(part.share);
            seen = Some(match seen.take() {
                None => now,
                Some(seen) => seen + now,
            });
            features.push(inputs.narrow(0, 0, part.labels.len()));
            let loss = objective.loss.mul_scalar(part.share);
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            forget();
            sum.accumulate(&self.network, gradients);
        }
        Pass {
            gradients: sum.grads(),
            seen: seen.unwrap_or_else(|| Tensor::zeros([5], self.device)),
            features,
        }
    }

    /// Share of the rows of `scores`, `[n * views, classes]`, view-major, whose largest entry is their class's, `[1]`.
    fn top1(&self, scores: Tensor<2>, labels: &[i32]) -> Tensor<1> {
        let views = self.config.views.classifier;
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
}

#[cfg(test)]
mod tests;
