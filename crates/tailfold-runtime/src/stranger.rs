//! What somebody says of a model that says nothing of itself.

use tailfold_onnx::Model;
use tailfold_spec::{CardError, Filter, ModelCard, Preprocess, Resize};

use crate::RuntimeError;

/// What somebody says of a model without metadata: all but the resize is needed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preparation {
    /// Class names, in the order of the outputs.
    pub labels: Option<Vec<String>>,
    /// A value a channel, on the 0..1 scale.
    pub mean: Option<Vec<f32>>,
    /// A value a channel, on the 0..1 scale.
    pub std: Option<Vec<f32>>,
    /// Length of the shorter side before the centre crop, in pixels.
    pub short_side: Option<u32>,
}

impl Preparation {
    /// The card of `model`: its own, or one made of this and the graph's sizes.
    ///
    /// # Errors
    /// See [`LoadedModel::open_any`](crate::LoadedModel::open_any).
    pub fn card(&self, model: &Model, name: &str) -> Result<ModelCard, RuntimeError> {
        let name = || name.to_owned();
        let own = model.checked_card();
        let is_stranger = matches!(model.card(), Err(CardError::Missing(_)));
        if !is_stranger {
            if *self != Self::default() {
                return Err(RuntimeError::AlreadyPrepared { name: name() });
            }
            return own.map_err(|source| RuntimeError::Onnx {
                name: name(),
                source,
            });
        }
        let missing = |missing, flags| RuntimeError::Unprepared {
            name: name(),
            missing,
            flags,
        };
        let labels = self
            .labels
            .clone()
            .ok_or_else(|| missing("tailfold.classes", "--labels"))?;
        let unprepared = || missing("tailfold.preprocess", "--mean and --std");
        let mean = self.mean.clone().ok_or_else(unprepared)?;
        let std = self.std.clone().ok_or_else(unprepared)?;
        let found = model.input_shape().map_err(|source| RuntimeError::Onnx {
            name: name(),
            source,
        })?;
        let [_, Some(channels), Some(height), Some(width)] = found else {
            return Err(RuntimeError::InputShape {
                name: name(),
                found,
            });
        };
        let preprocess = Preprocess {
            channels,
            height,
            width,
            resize: self.short_side.map(|short_side| Resize {
                short_side,
                filter: Filter::Bilinear,
            }),
            mean,
            std,
        };
        preprocess
            .validate()
            .map_err(|source| RuntimeError::Preparation {
                name: name(),
                source,
            })?;
        Ok(ModelCard {
            name: String::new(),
            architecture: String::new(),
            // Nobody knows them.
            train_counts: vec![0; labels.len()],
            classes: labels,
            preprocess,
            offsets: None,
            checkpoint_sha256: String::new(),
            quantization: None,
        })
    }
}
