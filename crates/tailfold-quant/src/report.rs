//! Report of a quantization, layer by layer and class by class.

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

/// Results of a quantization; [`Report::to_html`] and [`Report::to_markdown`] render them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Always [`Report::SCHEMA`].
    pub schema: &'static str,
    /// Name of the model, from its card or its file.
    pub model: String,
    /// Bytes of the float model's graph, and of the quantized model's graph.
    pub bytes: [usize; 2],
    /// Record of the quantization.
    pub record: QuantizationRecord,
    /// Every layer with weights, in graph order.
    pub layers: Vec<LayerStatistics>,
    /// Every quantized activation, in graph order.
    pub tensors: Vec<TensorStatistics>,
    /// Result of the search for mixed precision.
    pub search: Option<Search>,
    /// Comparison of both networks on the evaluation images; `None` without evaluation images.
    pub evaluation: Option<Evaluation>,
    /// Every class, in label order; empty for a model that does not name its classes.
    pub classes: Vec<ClassReport>,
}

/// Comparison of the float and the quantized network on labelled images.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Data spec of the images, as given.
    pub data: String,
    /// Number of images.
    pub images: usize,
    /// Accuracy of the float network, and of the quantized network.
    pub accuracy: [Accuracy; 2],
    /// The paired comparison, by the default policy.
    pub parity: Option<tailfold_parity::Report>,
    /// Reason why the paired comparison is missing.
    pub no_parity: Option<String>,
}

/// A class before and after quantization.
#[derive(Clone, Debug, Serialize)]
pub struct ClassReport {
    /// Name of the class.
    pub name: String,
    /// Number of training images of the class.
    pub train_count: u64,
    /// Group of the class.
    pub group: Group,
    /// Share of the class's evaluation images that are classified correctly, before and after; `None` without
    /// such images.
    pub recall: [Option<f64>; 2],
    /// Bias of the last layer for the class, in logits, before and after; `None` for a head without a bias.
    pub bias: [Option<f64>; 2],
}

impl Report {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "tailfold.quantization-report/1";

    /// Builds the report from `draft` and `quantized`; `evaluation` are labelled images on which to compare
    /// both networks.
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
            // A bias of one value for all classes has an entry for the first class only.
            bias: [0, 1].map(|side| bias.and_then(|b| b[side].get(class).copied())),
        })
        .collect()
}

/// Compares both networks on `images`; `None` for a model or images without labels.
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
