//! One step of gradient descent.

use burn::optim::GradientsParams;
use burn::prelude::*;
use tailfold_spec::Logits;

use crate::batches::Batch;
use crate::error::TrainError;
use crate::evaluate::to_host;
use crate::loss::{ot_dynamic_softmax, supervised_contrastive};
use crate::run::Run;

/// What a step cost.
#[derive(Default)]
pub(crate) struct StepLosses {
    pub(crate) total: f32,
    pub(crate) classifier: f32,
    pub(crate) contrastive: f32,
    pub(crate) correct: usize,
}

impl Run<'_> {
    /// One step of gradient descent.
    pub(crate) fn step(&mut self, batch: &Batch, rate: f64) -> Result<StepLosses, TrainError> {
        let n = batch.labels.len();
        let views = &self.config.views;
        let spec = &self.manifest.preprocess;
        let shape = [
            n * self.plan.views.len(),
            spec.channels,
            spec.height,
            spec.width,
        ];
        let x = Tensor::<4>::from_data(TensorData::new(batch.values.clone(), shape), self.device);
        let labels = |views: usize| {
            let repeated: Vec<i32> = std::iter::repeat_n(&batch.labels, views)
                .flatten()
                .copied()
                .collect();
            Tensor::<1, Int>::from_ints(repeated.as_slice(), self.device)
        };
        let features = self.network.features(x);
        let rows = n * views.classifier;
        let dim = self.manifest.architecture.feature_dim();
        let classified = features.clone().slice([0..rows, 0..dim]);
        let scores = self.network.head.forward(classified.clone());
        let shift = match &self.offsets {
            Some(offsets) => offsets.shift(),
            None => vec![0.0; self.manifest.classes.len()],
        };
        let shift = Tensor::<1>::from_floats(shift.as_slice(), self.device);
        let classifier = ot_dynamic_softmax(scores.clone(), shift, labels(views.classifier));
        let contrastive = match (&self.config.contrastive, &self.network.projection) {
            (Some(contrastive), Some(projection)) => {
                let (points, count) = if views.contrastive == 0 {
                    (classified.clone(), views.classifier)
                } else {
                    (
                        features.clone().slice([rows..shape[0], 0..dim]),
                        views.contrastive,
                    )
                };
                let loss = supervised_contrastive(
                    projection.forward(points),
                    labels(count),
                    contrastive.temperature,
                );
                Some((loss, contrastive.weight))
            }
            _ => None,
        };
        let (loss, contrastive) = match contrastive {
            Some((loss, weight)) => (
                classifier.clone() + loss.clone().mul_scalar(weight),
                to_host(loss.without_autodiff())?[0],
            ),
            None => (classifier.clone(), 0.0),
        };
        let total = to_host(loss.clone().without_autodiff())?[0];
        let seen = to_host(scores.without_autodiff())?;
        let classes = self.manifest.classes.len();
        let correct = seen
            .chunks_exact(classes)
            .zip(std::iter::repeat_n(&batch.labels, views.classifier).flatten())
            .filter(|(row, label)| {
                Logits::top1(row).is_some_and(|(class, _)| i32::try_from(class) == Ok(**label))
            })
            .count();
        let inputs = to_host(self.network.head.inputs(classified).without_autodiff())?;
        let losses = StepLosses {
            total,
            classifier: to_host(classifier.without_autodiff())?[0],
            contrastive,
            correct,
        };
        if !total.is_finite() {
            return Ok(losses);
        }
        let lengths = inputs
            .chunks_exact(dim)
            .map(|z| z.iter().map(|x| x * x).sum::<f32>().sqrt());
        self.radius = lengths.sum::<f32>() / rows as f32;
        if let Some(offsets) = &mut self.offsets {
            offsets.push(&inputs[..n * dim], &batch.labels, dim);
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(losses)
    }
}
