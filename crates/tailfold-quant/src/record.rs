//! The record of a quantization in the quantized model.

use tailfold_data::Dataset;
use tailfold_onnx::Model;
use tailfold_spec::QuantizationRecord;

use crate::error::QuantError;
use crate::float::{FloatModel, RECORD};
use crate::images::CalibrationSet;
use crate::options::Options;

/// Name of the re-balancing of the last bias in the list of corrections.
pub(crate) const REBALANCE: &str = "rebalance";

/// Returns the record of an INT8 quantization with `options` and ranges from `set`.
pub(crate) fn of_int8(
    options: &Options,
    float: &FloatModel,
    set: &CalibrationSet,
) -> QuantizationRecord {
    let named = [
        ("equalize", options.equalize),
        ("correct-bias", options.correct_bias),
        (REBALANCE, options.rebalance),
    ];
    QuantizationRecord {
        observer: options.observer.to_string(),
        target: options.target.name().to_owned(),
        weight_bits: Some(options.weight_bits.get()),
        rounding: options.rounding.name().to_owned(),
        corrections: named
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| name.to_owned())
            .collect(),
        ..blank("int8", float, Some(set))
    }
}

/// Returns the record of a conversion to half precision; `set` are the images of the overflow check, if there
/// are any.
pub(crate) fn of_half(float: &FloatModel, set: Option<&CalibrationSet>) -> QuantizationRecord {
    QuantizationRecord {
        observer: "none".to_owned(),
        ..blank("fp16", float, set)
    }
}

fn blank(precision: &str, float: &FloatModel, set: Option<&CalibrationSet>) -> QuantizationRecord {
    let mut images = set.map_or_else(Vec::new, |set| set.hashes().to_vec());
    images.sort_unstable();
    QuantizationRecord {
        precision: precision.to_owned(),
        calibration: set.map_or_else(|| "none".to_owned(), CalibrationSet::name),
        calibration_counts: set
            .and_then(CalibrationSet::data)
            .map_or_else(Vec::new, Dataset::class_counts),
        calibration_images: images,
        float_sha256: float.sha256.clone(),
        ..QuantizationRecord::default()
    }
}

/// Writes the record to the model card, or to a metadata property of its own in a model without a card.
pub(crate) fn write_record(
    model: &mut Model,
    float: &FloatModel,
    record: QuantizationRecord,
) -> Result<(), QuantError> {
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
