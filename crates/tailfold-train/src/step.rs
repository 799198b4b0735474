//! One step of gradient descent.

use burn::optim::GradientsParams;
use burn::prelude::*;
use tailfold_spec::Logits;

use crate::batches::Batch;
use crate::error::TrainError;
use crate::evaluate::to_host;
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
        let classifier_views = self.config.views.classifier;
        let spec = &self.manifest.preprocess;
        let shape = [
            n * self.plan.views.len(),
            spec.channels,
            spec.height,
            spec.width,
        ];
        let x = Tensor::<4>::from_data(TensorData::new(batch.values.clone(), shape), self.device);
        let features = self.network.features(x);
        let objective = self.objective(features, &batch.labels);
        let total = to_host(objective.loss.clone().without_autodiff())?[0];
        let seen = to_host(objective.scores.without_autodiff())?;
        let classes = self.manifest.classes.len();
        let correct = seen
            .chunks_exact(classes)
            .zip(std::iter::repeat_n(&batch.labels, classifier_views).flatten())
            .filter(|(row, label)| {
                Logits::top1(row).is_some_and(|(class, _)| i32::try_from(class) == Ok(**label))
            })
            .count();
        let losses = StepLosses {
            total,
            classifier: to_host(objective.classifier.without_autodiff())?[0],
            contrastive: match objective.contrastive {
                Some(loss) => to_host(loss.without_autodiff())?[0],
                None => 0.0,
            },
            correct,
        };
        if !total.is_finite() {
            return Ok(losses);
        }
        let dim = self.manifest.architecture.feature_dim();
        let inputs = self.network.head.inputs(objective.classified);
        let inputs = to_host(inputs.without_autodiff())?;
        let lengths = inputs
            .chunks_exact(dim)
            .map(|z| z.iter().map(|x| x * x).sum::<f32>().sqrt());
        self.radius = lengths.sum::<f32>() / (n * classifier_views) as f32;
        if let Some(offsets) = &mut self.offsets {
            offsets.push(&inputs[..n * dim], &batch.labels, dim);
        }
        let gradients = GradientsParams::from_grads(objective.loss.backward(), &self.network);
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(losses)
    }
}
