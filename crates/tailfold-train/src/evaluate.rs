//! A network's answers on images as they are, without augmentation.

use burn::module::Module as _;
use burn::prelude::*;
use rayon::prelude::*;
use tailfold_data::{DataError, Normaliser};
use tailfold_sdot::{Options, balanced_weights};
use tailfold_spec::{AtExport, Logits, OffsetsRecord, Preprocess, Prior};

use crate::batches::Images;
use crate::error::TrainError;
use crate::networks::Network;
use crate::offsets::{record, to_f32};
use crate::run::Run;

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

/// The images at `indices` as one row-major `[n, c, h, w]` vector.
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

/// Runs `network` (a validation copy, on a device without autodiff) over the images at `indices`.
pub(crate) fn answers(
    network: &Network,
    images: &Images,
    indices: &[usize],
    spec: &Preprocess,
    device: &Device,
) -> Result<Answers, TrainError> {
    let mut all = Answers::default();
    for chunk in indices.chunks(CHUNK) {
        let values = input_values(images, chunk, spec)?;
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
    let data = tensor.try_into_data();
    let data = data.map_err(|e| TrainError::Device(e.to_string()))?;
    data.try_to_vec::<f32>()
        .map_err(|e| TrainError::Device(format!("{e:?}")))
}

impl Run<'_> {
    pub(crate) fn answers(
        &self,
        network: &Network,
        images: &Images,
        indices: &[usize],
    ) -> Result<Answers, TrainError> {
        answers(
            network,
            images,
            indices,
            &self.manifest.preprocess,
            &self.device.clone().without_autodiff(),
        )
    }

    /// The offsets that the exporter would fold by default.
    fn deployed(&self, network: &Network) -> Result<OffsetsRecord, TrainError> {
        let classes = self.manifest.classes.len();
        let Some(offsets) = &self.offsets else {
            return Ok(OffsetsRecord::zeros(classes));
        };
        match self.manifest.at_export {
            AtExport::Keep => Ok(offsets.record()),
            AtExport::Drop => Ok(OffsetsRecord::zeros(classes)),
            AtExport::Resolve => {
                let features = self
                    .answers(network, &self.plan.images, &self.balanced)?
                    .features;
                let labels: Vec<usize> = self
                    .balanced
                    .iter()
                    .map(|&i| self.plan.images.labels[i])
                    .collect();
                let weights = balanced_weights(&labels, classes)?;
                let target = Prior::Uniform.masses(&self.manifest.train_counts)?;
                let head = network.head.affine().without_autodiff().to_host()?;
                let solution =
                    head.solve(&features, Some(&weights), &target, &Options::default())?;
                let h: Vec<f32> = solution.offsets.iter().map(|&h| to_f32(h)).collect();
                Ok(record(
                    &h,
                    "resolved",
                    "balanced-features",
                    &target,
                    Some(&solution),
                ))
            }
        }
    }
    /// Measures the network on the validation data; `None` without one.
    pub(crate) fn validate(&self) -> Result<Option<Validation>, TrainError> {
        let Some(images) = &self.validation else {
            return Ok(None);
        };
        let network = self.network.valid();
        let offsets = self.deployed(&network)?.offsets;
        let all: Vec<usize> = (0..images.store.len()).collect();
        let scores = self.answers(&network, images, &all)?.scores;
        let classes = offsets.len();
        let (mut hits, mut counts) = (vec![0_u64; classes], vec![0_u64; classes]);
        for (row, &label) in scores.chunks_exact(classes).zip(&images.labels) {
            let moved: Vec<f32> = row.iter().zip(&offsets).map(|(s, h)| s + h).collect();
            counts[label] += 1;
            hits[label] += u64::from(Logits::top1(&moved).is_some_and(|(class, _)| class == label));
        }
        let recall = hits
            .iter()
            .zip(&counts)
            .map(|(&h, &n)| (n > 0).then(|| h as f64 / n as f64));
        Ok(Some(Validation {
            recall: recall.collect(),
            hits: hits.iter().sum(),
            images: counts,
            offsets,
        }))
    }
}

/// How a network does on the validation data, class by class.
pub(crate) struct Validation {
    /// Share of right answers, `[classes]`; `None` for a class without images.
    pub(crate) recall: Vec<Option<f64>>,
    /// Images, `[classes]`.
    pub(crate) images: Vec<u64>,
    /// What was added to the scores, `[classes]`: what would be folded.
    pub(crate) offsets: Vec<f32>,
    /// Right answers over all classes.
    hits: u64,
}

impl Validation {
    /// Share of right answers over all images.
    pub(crate) fn top1(&self) -> f64 {
        self.hits as f64 / self.images.iter().sum::<u64>().max(1) as f64
    }
}
