//! A network's answers on images as they are, without augmentation.

use burn::prelude::*;
use tailfold_data::{DataError, Pixels, preprocess};
use tailfold_spec::Preprocess;

use crate::resnet::Network;
use crate::trainer::TrainError;

/// Images a forward pass.
const CHUNK: usize = 128;

/// Host copies of what a network says about some images.
#[derive(Default)]
pub(crate) struct Answers {
    /// `[n, dim]`, as the head sees them.
    pub(crate) features: Vec<f32>,
    /// `[n, classes]`, without offsets.
    pub(crate) scores: Vec<f32>,
}

/// Preprocesses images to one row-major `[n, c, h, w]` vector.
pub(crate) fn input_values<'a>(
    images: impl Iterator<Item = &'a Pixels>,
    spec: &Preprocess,
) -> Result<Vec<f32>, DataError> {
    images
        .map(|pixels| preprocess(pixels, spec))
        .collect::<Result<Vec<_>, _>>()
        .map(|rows| rows.concat())
}

/// Runs `network` (a validation copy, on a device without autodiff) over `images`.
pub(crate) fn answers(
    network: &Network,
    images: &[&Pixels],
    spec: &Preprocess,
    device: &Device,
) -> Result<Answers, TrainError> {
    let mut all = Answers::default();
    for chunk in images.chunks(CHUNK) {
        let values = input_values(chunk.iter().copied(), spec)?;
        let shape = [chunk.len(), spec.channels, spec.height, spec.width];
        let features = network.features(Tensor::<4>::from_data(
            TensorData::new(values, shape),
            device,
        ));
        all.scores
            .extend(to_host(network.head.forward(features.clone()))?);
        all.features.extend(to_host(network.head.inputs(features))?);
    }
    Ok(all)
}

/// The values of a tensor, row-major.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|e| TrainError::Device(format!("{e:?}")))
}
