//! The source measure, under which the masses of the cells are computed.

use burn::prelude::*;
use tailfold_sdot::{SolveError, balanced_weights, sphere_samples};

use super::FeatureQueue;
use crate::config::{OffsetConfig, SourceMeasure};

/// A source measure on the training device.
#[derive(Debug)]
pub(crate) struct Source {
    measure: SourceMeasure,
    samples: usize,
    seed: u64,
    device: Device,
    /// Points on the unit sphere, `[samples, dim]`; drawn when first needed.
    sphere: Option<Tensor<2>>,
    /// Recent training features.
    pub(crate) queue: FeatureQueue,
}

/// Weighted points.
pub(super) struct Points {
    /// Points `[n, dim]`.
    pub(super) values: Tensor<2>,
    /// Weights `[n]`; `None` means equal weights.
    pub(super) weights: Option<Vec<f64>>,
}

impl Source {
    pub(super) fn new(config: &OffsetConfig, seed: u64, device: &Device) -> Self {
        Self {
            measure: config.source,
            samples: config.samples,
            seed,
            device: device.clone().without_autodiff(),
            sphere: None,
            queue: FeatureQueue::new(config.samples),
        }
    }

    /// Returns whether the measure consists of training features.
    pub(super) fn wants_features(&self) -> bool {
        self.measure != SourceMeasure::Sphere
    }

    /// Returns the points in `dim` dimensions; `None` while the queue does not contain each of `classes`.
    ///
    /// `radius` is the radius of the sphere.
    pub(super) fn points(
        &mut self,
        dim: usize,
        radius: f32,
        classes: usize,
    ) -> Result<Option<Points>, SolveError> {
        if !self.wants_features() {
            let (samples, seed, device) = (self.samples, self.seed, &self.device);
            let sphere = self.sphere.get_or_insert_with(|| {
                let points = sphere_samples(samples, dim, seed);
                Tensor::from_data(TensorData::new(points, [samples, dim]), device)
            });
            return Ok(Some(Points {
                values: sphere.clone().mul_scalar(radius),
                weights: None,
            }));
        }
        let labels = self.queue.labels();
        if (0..classes).any(|class| !labels.contains(&class)) {
            return Ok(None);
        }
        let weights = if self.measure == SourceMeasure::BalancedFeatures {
            Some(balanced_weights(&labels, classes)?)
        } else {
            None
        };
        let values = self.queue.features();
        Ok(values.map(|values| Points { values, weights }))
    }
}
