//! The whole quantization of one model.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;
use tailfold_spec::QuantizationRecord;
use tailfold_spec::artifact::sha256;

use crate::affine::ActivationParams;
use crate::calibrate::{CalibrationSet, observe_ranges};
use crate::error::QuantError;
use crate::observer::ObserverKind;
use crate::qdq::insert_qdq;
use crate::regions::find_region;

/// What the last layer's weights become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadPrecision {
    /// int8 with one scale a class; bias and logits in float.
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
}

/// A quantized model and what was done.
#[derive(Debug)]
pub struct Quantized {
    /// The model, standard ONNX with QDQ nodes.
    pub model: Model,
    /// Quantized Conv and Gemm nodes.
    pub layers: usize,
    /// Scale and zero point of each activation tensor.
    pub activations: BTreeMap<String, ActivationParams>,
}

/// Quantizes the folded float model `bytes` with ranges observed on `set`. The same input gives the same bytes,
/// whatever the number of threads.
///
/// # Errors
/// [`QuantError`].
pub fn quantize(
    bytes: &[u8],
    name: &str,
    set: &CalibrationSet,
    options: Options,
    progress: &(dyn Fn() + Sync),
) -> Result<Quantized, QuantError> {
    let mut model = Model::from_bytes(bytes, name)?;
    let mut card = model.card()?;
    if card.offsets.is_none() {
        return Err(QuantError::NotFolded);
    }
    let mut skip = BTreeSet::new();
    if options.head == HeadPrecision::Float {
        let output = model.output()?.name().to_owned();
        skip.extend(model.graph().producer(&output).map(|n| n.name().to_owned()));
    }
    let region = find_region(&model, &skip)?;
    let ranges = observe_ranges(
        bytes,
        &card,
        set,
        &region.observed,
        options.observer,
        progress,
    )?;
    let mut params: BTreeMap<String, ActivationParams> = region
        .observed
        .iter()
        .cloned()
        .zip(ranges.into_iter().map(ActivationParams::of_range))
        .collect();
    let activations = params.clone();
    // Sources come before what is derived from them in graph order, so a chain is followed to its end.
    for derived in region.derived.keys() {
        let mut source = derived;
        while let Some(next) = region.derived.get(source) {
            source = next;
        }
        if let Some(&found) = params.get(source) {
            params.insert(derived.clone(), found);
        }
    }
    insert_qdq(&mut model, &region, &params)?;
    let mut images = set.hashes().to_vec();
    images.sort_unstable();
    card.quantization = Some(QuantizationRecord {
        precision: "int8".to_owned(),
        observer: options.observer.to_string(),
        calibration: set.data().spec().to_string(),
        calibration_counts: set.data().class_counts(),
        calibration_images: images,
        float_sha256: sha256(bytes),
    });
    model.set_card(&card);
    Ok(Quantized {
        model,
        layers: region.weighted.len(),
        activations,
    })
}
