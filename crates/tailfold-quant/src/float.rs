//! The float model that is quantized, and what must hold of it.

use std::path::Path;

use tailfold_onnx::{Model, canonical, check, check_structure, load_external};
use tailfold_spec::artifact::sha256;
use tailfold_spec::{ModelCard, artifact};
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::record::RECORD;

/// A float classifier in the form that quantization reads: see [`tailfold_onnx::canonical()`].
#[derive(Clone, Debug)]
pub struct FloatModel {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) sha256: String,
    card: Option<ModelCard>,
    input: [usize; 3],
    classes: usize,
}

impl FloatModel {
    /// Reads the file `path`, and values beside it that it names; `output` chooses among several.
    ///
    /// # Errors
    /// [`QuantError`], naming what is no part of an image classifier.
    pub fn read(path: &Path, output: Option<&str>) -> Result<Self, QuantError> {
        let bytes = artifact::read(path)?;
        let name = path.display().to_string();
        let mut model = Model::from_bytes(&bytes, &name)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        load_external(&mut model, folder)?;
        Self::new(model, &name, sha256(&bytes), output)
    }

    /// Reads a model from memory; `name` stands for the file in messages.
    ///
    /// # Errors
    /// As [`FloatModel::read`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, QuantError> {
        Self::new(Model::from_bytes(bytes, name)?, name, sha256(bytes), None)
    }

    fn new(
        mut model: Model,
        name: &str,
        sha256: String,
        output: Option<&str>,
    ) -> Result<Self, QuantError> {
        check_structure(&model)?;
        canonical(&mut model, output)?;
        check(&model)?;
        // A stranger's model that was quantized has the record of that, and no card.
        let of_card = |key: &String| key.starts_with("tailfold.") && key != RECORD;
        let card = if model.props().keys().any(of_card) {
            Some(model.checked_card()?)
        } else {
            None
        };
        let input = fixed_input(&model)?;
        let classes = classes(&model, name)?;
        Ok(Self {
            model,
            name: name.to_owned(),
            sha256,
            card,
            input,
            classes,
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

    /// Number of logits.
    pub fn num_classes(&self) -> usize {
        self.classes
    }

    /// # Errors
    /// [`QuantError::NotFolded`] when offsets are still to be folded into the float bias.
    pub(crate) fn check_folded(&self) -> Result<(), QuantError> {
        match &self.card {
            Some(card) if card.offsets.is_none() => Err(QuantError::NotFolded),
            _ => Ok(()),
        }
    }
}

fn fixed_input(model: &Model) -> Result<[usize; 3], QuantError> {
    match model.input_shape()? {
        [_, Some(c), Some(h), Some(w)] => Ok([c, h, w]),
        shape => Err(QuantError::DynamicShape {
            input: model.input()?.name().to_owned(),
            shape: lengths(&shape),
        }),
    }
}

fn classes(model: &Model, name: &str) -> Result<usize, QuantError> {
    let output = model.output()?;
    let declared = output
        .shape()
        .filter(|shape| shape[..].iter().skip(1).all(Option::is_some));
    let shape = match declared {
        Some(shape) => shape,
        None => {
            let tensors = [output.name().to_owned()];
            let observer = TensorObserver::from_onnx(&model.to_bytes(), name, &tensors)?;
            let shape = observer.shapes().first().cloned().flatten();
            shape.unwrap_or_default().into_iter().map(Some).collect()
        }
    };
    match shape[..] {
        [_, Some(classes)] => Ok(classes),
        _ => Err(QuantError::NoHead {
            output: output.name().to_owned(),
            shape: lengths(&shape),
        }),
    }
}

fn lengths(shape: &[Option<usize>]) -> String {
    let lengths = shape
        .iter()
        .map(|d| d.map_or_else(|| "?".to_owned(), |d| d.to_string()));
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
