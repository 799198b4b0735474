//! The float model that is quantized, and the requirements on it.

use std::path::Path;

use tailfold_onnx::{Model, OpenOptions, Opened, Shapes, check, folder_of, open, simplify};
use tailfold_spec::artifact::sha256;
use tailfold_spec::{CardParts, ModelCard, artifact};
use tailfold_tract::TensorObserver;

use crate::error::{QuantError, QuantErrorKind};

/// A float classifier in the form that quantization reads: see [`tailfold_onnx::canonical()`].
#[derive(Clone, Debug)]
pub struct FloatModel {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) sha256: String,
    opened: Opened,
    shapes: Shapes,
    card: Option<ModelCard>,
    input: [usize; 3],
    classes: usize,
}

/// Key of the record of an earlier quantization in the metadata of a model without a card.
pub(crate) const RECORD: &str = "tailfold.quantization";

/// Largest number of rounds of shape inference and simplification.
const ROUNDS: usize = 8;

impl FloatModel {
    /// Reads the file `path` and its external data; `options` selects the output and the layout of the input.
    ///
    /// # Errors
    /// [`QuantError`], naming the part that does not belong to an image classifier.
    pub fn read(path: &Path, options: &OpenOptions) -> Result<Self, QuantError> {
        let bytes = artifact::read(path)?;
        let name = path.display().to_string();
        let model = Model::from_bytes(&bytes, &name)?;
        Self::new(model, &name, sha256(&bytes), Some(folder_of(path)), options)
    }

    /// Reads a model from memory; `name` stands for the file in messages.
    ///
    /// # Errors
    /// As [`FloatModel::read`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, QuantError> {
        let model = Model::from_bytes(bytes, name)?;
        Self::new(model, name, sha256(bytes), None, &OpenOptions::default())
    }

    fn new(
        model: Model,
        name: &str,
        sha256: String,
        folder: Option<&Path>,
        options: &OpenOptions,
    ) -> Result<Self, QuantError> {
        let mut opened = open(model, folder, options, &tailfold_tract::shapes)?;
        let mut shapes = tailfold_tract::shapes(&opened.model);
        // tract may infer shapes of the simplified graph that it could not infer before.
        for _ in 0..ROUNDS {
            let before = opened.model.nodes().to_vec();
            simplify(&mut opened.model, &shapes)?;
            if opened.model.nodes() == before {
                break;
            }
            shapes = tailfold_tract::shapes(&opened.model);
        }
        check(&opened.model)?;
        let props = opened.model.props();
        let card = if ModelCard::is_in(&props) {
            Some(opened.model.checked_card()?)
        } else {
            CardParts::from_props(&props)?;
            None
        };
        let input = fixed_input(&opened.model)?;
        let classes = classes(&opened.model, name, &shapes)?;
        Ok(Self {
            model: opened.model.clone(),
            opened,
            shapes,
            name: name.to_owned(),
            sha256,
            card,
            input,
            classes,
        })
    }

    /// Returns the opened model: the graph that is quantized, and the input and output of the file.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Returns the shape of each value for one image, as far as tract infers it.
    pub(crate) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Restores the input and output of the file in `model`, a converted form of this model, and adds `parts`
    /// to the metadata of a third-party model.
    pub fn restore(&self, model: &mut Model, parts: &CardParts) {
        self.opened.ports.restore(model);
        if self.card.is_none() {
            for (key, value) in parts.to_props() {
                model.set_prop(key, value);
            }
        }
    }

    /// Returns the graph that is quantized.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Returns the model card; `None` for a third-party model.
    pub fn card(&self) -> Option<&ModelCard> {
        self.card.as_ref()
    }

    /// Returns the shape of one image, `[channels, height, width]`.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    /// Returns the number of logits.
    pub fn num_classes(&self) -> usize {
        self.classes
    }

    /// Checks that the offsets are folded into the float bias.
    ///
    /// # Errors
    /// [`QuantErrorKind::Model`] when they are not folded yet.
    pub(crate) fn check_folded(&self) -> Result<(), QuantError> {
        match &self.card {
            Some(card) if card.offsets.is_none() => Err(QuantErrorKind::Model.error(
                "the model's offsets are not folded yet: quantize the exported model, whose offsets are folded",
            )),
            _ => Ok(()),
        }
    }
}

fn fixed_input(model: &Model) -> Result<[usize; 3], QuantError> {
    match model.input_shape()? {
        [_, Some(c), Some(h), Some(w)] => Ok([c, h, w]),
        shape => Err(QuantErrorKind::Model.error(format!(
            "input `{input}` has the shape {shape}: only the batch may be open, not channels, \
             height or width",
            input = model.input()?.name(),
            shape = lengths(&shape)
        ))),
    }
}

/// Returns the number of classes: the only length of the output other than 1.
fn classes(model: &Model, name: &str, shapes: &Shapes) -> Result<usize, QuantError> {
    let output = model.output()?;
    let shape = match shapes.get(output.name()) {
        Some(shape) => Some(shape.clone()),
        None => {
            let tensors = [output.name().to_owned()];
            let observer = TensorObserver::from_onnx(&model.to_bytes(), name, &tensors)?;
            observer.shapes().first().cloned().flatten()
        }
    };
    let shape = shape.unwrap_or_default();
    let long: Vec<usize> = shape.iter().copied().filter(|&d| d != 1).collect();
    match long[..] {
        [classes] if shape.len() >= 2 && shape[0] == 1 => Ok(classes),
        _ => Err(QuantErrorKind::NoHead.error(format!(
            "output `{output}` has the shape {shape}, expected [batch, classes]: the model has no \
             classifier head, or another output is meant",
            output = output.name(),
            shape = lengths(&shape.into_iter().map(Some).collect::<Vec<_>>())
        ))),
    }
}

fn lengths(shape: &[Option<usize>]) -> String {
    let lengths = shape
        .iter()
        .map(|d| d.map_or_else(|| "?".to_owned(), |d| d.to_string()));
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
