//! The whole quantization of one model.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tailfold_data::Dataset;
use tailfold_onnx::Model;
use tailfold_spec::QuantizationRecord;

use crate::affine::ActivationParams;
use crate::calibrate::observe;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::observer::ObserverKind;
use crate::regions::{Region, find_region};
use crate::target::{Plan, Target};

/// What the last layer's weights become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadPrecision {
    /// int8 with one scale a class; bias and logits as the target has them.
    #[default]
    Int8,
    /// Float.
    Float,
}

/// Choices of a quantization.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How ranges are chosen.
    pub observer: ObserverKind,
    /// What the head becomes.
    pub head: HeadPrecision,
    /// The runtime that the file is made for.
    pub target: Target,
}

/// A quantized model and what was done.
#[derive(Debug)]
pub struct Quantized {
    /// The model, standard ONNX with QDQ nodes.
    pub model: Model,
    /// Quantized Conv and Gemm nodes.
    pub layers: usize,
    /// Scale and zero point of each observed activation tensor.
    pub activations: BTreeMap<String, ActivationParams>,
}

/// Quantizes `float` with ranges observed on `set`. The same input gives the same bytes, whatever the number of threads.
///
/// # Errors
/// [`QuantError`].
pub fn quantize(
    float: &FloatModel,
    set: &CalibrationSet,
    options: Options,
    progress: &(dyn Fn() + Sync),
) -> Result<Quantized, QuantError> {
    float.check_folded()?;
    let mut model = float.model.clone();
    let mut skip = BTreeSet::new();
    if options.head == HeadPrecision::Float {
        skip.extend(float.head()?.map(|n| n.label().to_owned()));
    }
    let region = find_region(&model, &skip, options.target.placement())?;
    let activations = calibrated(float, set, &region, options, progress)?;
    let layers = region.weighted.len();
    let params = with_derived(&region, activations.clone());
    options.target.emit(&mut model, &Plan { region, params })?;
    let record = Record {
        precision: "int8",
        observer: options.observer.to_string(),
        set: Some(set),
    };
    write_record(&mut model, float, record)?;
    Ok(Quantized {
        model,
        layers,
        activations,
    })
}

/// Parameters of each observed tensor.
fn calibrated(
    float: &FloatModel,
    set: &CalibrationSet,
    region: &Region,
    options: Options,
    progress: &(dyn Fn() + Sync),
) -> Result<BTreeMap<String, ActivationParams>, QuantError> {
    let seen = observe(
        &float.model.to_bytes(),
        &float.name,
        set,
        &region.observed,
        options.observer.needs_histogram(),
        progress,
    )?;
    let scheme = options.target.scheme();
    // The searches take as long as some images. The first tensor in the graph is the one whose error is told.
    let params: Vec<_> = region
        .observed
        .par_iter()
        .zip(&seen)
        .map(|(tensor, seen)| {
            let extremes = seen.extremes();
            if extremes.low >= 0.0 && extremes.high <= 0.0 {
                return Err(QuantError::AllZero(tensor.clone()));
            }
            let range = seen.range(options.observer, scheme);
            Ok((tensor.clone(), ActivationParams::of_range(range, scheme)))
        })
        .collect();
    params.into_iter().collect()
}

/// `params`, and those of the tensors that only move observed values.
fn with_derived(
    region: &Region,
    mut params: BTreeMap<String, ActivationParams>,
) -> BTreeMap<String, ActivationParams> {
    for derived in region.derived.keys() {
        let mut source = derived;
        while let Some(next) = region.derived.get(source) {
            source = next;
        }
        if let Some(&found) = params.get(source) {
            params.insert(derived.clone(), found);
        }
    }
    params
}

/// Key of the record in the metadata of a model without a card.
pub(crate) const RECORD: &str = "tailfold.quantization";

/// What is said of a quantization in the model itself.
pub(crate) struct Record<'a> {
    pub(crate) precision: &'static str,
    pub(crate) observer: String,
    pub(crate) set: Option<&'a CalibrationSet>,
}

/// Says in the model what was done to it: in its card, or by itself in a model without one.
pub(crate) fn write_record(
    model: &mut Model,
    float: &FloatModel,
    record: Record<'_>,
) -> Result<(), QuantError> {
    let data = record.set.and_then(CalibrationSet::data);
    let mut images = record
        .set
        .map_or_else(Vec::new, |set| set.hashes().to_vec());
    images.sort_unstable();
    let record = QuantizationRecord {
        precision: record.precision.to_owned(),
        observer: record.observer,
        calibration: record
            .set
            .map_or_else(|| "none".to_owned(), CalibrationSet::name),
        calibration_counts: data.map_or_else(Vec::new, Dataset::class_counts),
        calibration_images: images,
        float_sha256: float.sha256.clone(),
    };
    match float.card() {
        Some(card) => {
            let mut card = card.clone();
            card.quantization = Some(record);
            model.set_card(&card);
        }
        None => model.set_prop(RECORD, serde_json::to_string(&record)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
