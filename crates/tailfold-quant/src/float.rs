//! The float model that is quantized, and what must hold of it.

use std::path::Path;

use tailfold_onnx::Model;
use tailfold_spec::artifact::sha256;
use tailfold_spec::{ModelCard, artifact};

use crate::error::QuantError;

/// A float classifier, ready to be quantized.
#[derive(Clone, Debug)]
pub struct FloatModel {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) card: Option<ModelCard>,
    input: [usize; 3],
}

impl FloatModel {
    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`QuantError`].
    pub fn read(path: &Path) -> Result<Self, QuantError> {
        Self::from_bytes(&artifact::read(path)?, &path.display().to_string())
    }

    /// Reads a model from memory; `name` stands for the file in messages.
    ///
    /// # Errors
    /// [`QuantError`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, QuantError> {
        let model = Model::from_bytes(bytes, name)?;
        tailfold_onnx::check(&model)?;
        let card = Some(model.checked_card()?);
        let [_, Some(c), Some(h), Some(w)] = model.input_shape()? else {
            return Err(QuantError::NoImages);
        };
        Ok(Self {
            model,
            name: name.to_owned(),
            sha256: sha256(bytes),
            card,
            input: [c, h, w],
        })
    }

    /// The graph, as it is quantized.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the model says about itself; `None` for a model that is not of ours.
    pub fn card(&self) -> Option<&ModelCard> {
        self.card.as_ref()
    }

    /// Shape of one image: `[channels, height, width]`.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input
    }
}
