//! What a quantization did, layer by layer and class by class.

use serde::Serialize;
use tailfold_parity::{Accuracy, ComparedModel, Policy, compare};
use tailfold_spec::{Group, QuantizationRecord};

use crate::draft::Draft;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::logits;
use crate::quantize::Quantized;
use crate::search::Search;
use crate::statistics::{LayerStatistics, TensorStatistics};

mod html;
mod markdown;
mod plots;

/// The whole of it; [`Report::to_html`] and [`Report::to_markdown`] show it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Always [`Report::SCHEMA`].
    pub schema: &'static str,
    /// Name of the model, from its card or its file.
    pub model: String,
    /// Bytes of the float file's graph, and of the quantized one.
    pub bytes: [usize; 2],
    /// How it was quantized.
    pub record: QuantizationRecord,
    /// Every layer with weights, in graph order.
    pub layers: Vec<LayerStatistics>,
    /// Every activation that carries codes, in graph order.
    pub tensors: Vec<TensorStatistics>,
    /// What a search for mixed precision found.
    pub search: Option<Search>,
    /// Both networks on the evaluation images; `None` without any.
    pub evaluation: Option<Evaluation>,
    /// Every class, in label order; empty for a model that does not name its own.
    pub classes: Vec<ClassReport>,
}

/// Float against quantized on labelled images.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The images, as given.
    pub data: String,
    /// How many.
    pub images: usize,
    /// Accuracy of the float network, and of the quantized one.
    pub accuracy: [Accuracy; 2],
    /// The paired comparison, by the default policy.
    pub parity: Option<tailfold_parity::Report>,
    /// Why there is none.
    pub no_parity: Option<String>,
}

/// A class before and after.
#[derive(Clone, Debug, Serialize)]
pub struct ClassReport {
    /// Its name.
    pub name: String,
    /// Its training images.
    pub train_count: u64,
    /// Its group.
    pub group: Group,
    /// Share of its evaluation images that are right; `None` without any.
    pub recall: [Option<f64>; 2],
    /// Bias of the last layer, logits; `None` for a head without one.
    pub bias: [Option<f64>; 2],
}

impl Report {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "tailfold.quantization-report/1";

    /// Puts together what `draft` and `quantized` say; `evaluation` are labelled images to compare both networks on.
    ///
    /// # Errors
    /// [`QuantError`] of the runtime or the images.
    pub fn new(
        draft: &Draft<'_>,
        quantized: &Quantized,
        search: Option<Search>,
        evaluation: Option<&CalibrationSet>,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Self, QuantError> {
        let float = draft.float;
        let kept = quantized.record.kept_in_float.iter().cloned().collect();
        let evaluation = evaluation.map(|images| evaluate(float, quantized, images, progress));
        let evaluation = evaluation.transpose()?.flatten();
        let bias = draft.head_bias(&kept, quantized.rebalance.shifts())?;
        Ok(Self {
            schema: Self::SCHEMA,
            model: float
                .card()
                .map_or_else(|| float.name.clone(), |card| card.name.clone()),
            bytes: [
                float.model.to_bytes().len(),
                quantized.model.to_bytes().len(),
            ],
            record: quantized.record.clone(),
            layers: draft.layer_statistics(&kept)?,
            tensors: draft.tensors().to_vec(),
            search,
            classes: classes(float, evaluation.as_ref(), bias.as_ref()),
            evaluation,
        })
    }
}

fn classes(
    float: &FloatModel,
    evaluation: Option<&Evaluation>,
    bias: Option<&[Vec<f64>; 2]>,
) -> Vec<ClassReport> {
    let Some(card) = float.card() else {
        return Vec::new();
    };
    let named = card.classes.iter().zip(&card.train_counts).enumerate();
    named
        .map(|(class, (name, &train_count))| ClassReport {
            name: name.clone(),
            train_count,
            group: Group::of_count(train_count),
            recall: [0, 1].map(|side| evaluation.and_then(|e| e.accuracy[side].per_class[class])),
            // One value may stand for all classes.
            bias: [0, 1].map(|side| bias.and_then(|b| b[side].get(class).copied())),
        })
        .collect()
}

/// Both networks on `images`; `None` for a model or images without labels.
fn evaluate(
    float: &FloatModel,
    quantized: &Quantized,
    images: &CalibrationSet,
    progress: &(dyn Fn() + Sync),
) -> Result<Option<Evaluation>, QuantError> {
    let Some((card, data)) = float.card().zip(images.data()) else {
        return Ok(None);
    };
    let before = logits(&float.model, &float.name, images, progress)?;
    let after = logits(&quantized.model, &float.name, images, progress)?;
    let labels = data.labels();
    let compared = ComparedModel::from(card);
    let parity = compare(&before, &after, labels, &compared, &Policy::default());
    let no_parity = parity.as_ref().err().map(ToString::to_string);
    Ok(Some(Evaluation {
        data: images.name(),
        images: images.len(),
        accuracy: [
            Accuracy::of(&before, labels, &card.train_counts)?,
            Accuracy::of(&after, labels, &card.train_counts)?,
        ],
        parity: parity.ok(),
        no_parity,
    }))
}

#[cfg(test)]
mod tests;
