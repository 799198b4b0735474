//! The outputs of a network for images without augmentation.

use burn::prelude::*;
use rayon::prelude::*;
use tailfold_data::{DataError, Normaliser};
use tailfold_spec::Preprocess;

use crate::casts::to_host;
use crate::error::TrainError;
use crate::images::Images;
use crate::networks::Network;
use crate::plan::RunPlan;

/// Number of images per forward pass.
const CHUNK: usize = 128;

/// The outputs of a network for some images, on the host.
#[derive(Default)]
pub(crate) struct Answers {
    /// Features as the head receives them, `[n, dim]`.
    pub(crate) features: Vec<f32>,
    /// Scores without offsets, `[n, classes]`.
    pub(crate) scores: Vec<f32>,
}

/// Returns the images at `indices` as one row-major `[n, c, h, w]` vector.
pub(crate) fn input_values(
    images: &Images,
    indices: &[usize],
    spec: &Preprocess,
) -> Result<Vec<f32>, DataError> {
    let normaliser = Normaliser::new(spec)?;
    let mut values = vec![0.0; indices.len() * normaliser.size()];
    values
        .par_chunks_exact_mut(normaliser.size())
        .zip(indices)
        .try_for_each(|(values, &i)| {
            normaliser.write(images.store.image(i)?.as_pixels(), values)
        })?;
    Ok(values)
}

/// Runs `network`, a validation copy, on the images at `indices`, on the device of `plan` without autodiff.
pub(crate) fn answers(
    plan: &RunPlan<'_>,
    network: &Network,
    images: &Images,
    indices: &[usize],
) -> Result<Answers, TrainError> {
    let spec = &plan.manifest.preprocess;
    let device = plan.device.clone().without_autodiff();
    let mut all = Answers::default();
    for chunk in indices.chunks(CHUNK) {
        let values = input_values(images, chunk, spec)?;
        let shape = [chunk.len(), spec.channels, spec.height, spec.width];
        let features = network.features(Tensor::<4>::from_data(
            TensorData::new(values, shape),
            &device,
        ));
        all.scores
            .extend(to_host(network.head.forward(features.clone()))?);
        all.features.extend(to_host(network.head.inputs(features))?);
    }
    Ok(all)
}
