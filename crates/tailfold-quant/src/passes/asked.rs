//! The request of a pass: everything that its result depends on.

use std::collections::BTreeMap;

use serde::Serialize;
use tailfold_part::{labels_sha256, names_sha256};
use tailfold_spec::artifact;

use crate::affine::ActivationParams;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::options::Options;

/// Identifies the drawn images, decodable or not.
#[derive(Serialize)]
pub(super) struct SetAsked {
    /// The data spec, or the name of a file of prepared images.
    calibration: String,
    drawn: usize,
    per_class: Option<usize>,
    seed: Option<u64>,
    /// Preprocessing of the images, as JSON.
    preprocess: Option<serde_json::Value>,
    labels_sha256: Option<String>,
    names_sha256: Option<String>,
}

impl SetAsked {
    pub(super) fn of(set: &CalibrationSet) -> Self {
        let mut asked = Self {
            calibration: set.name(),
            drawn: set.len(),
            per_class: None,
            seed: None,
            preprocess: None,
            labels_sha256: None,
            names_sha256: None,
        };
        if let Some((drawn, preprocess)) = set.drawn() {
            let images = &drawn.images;
            asked.drawn = images.len();
            asked.per_class = Some(drawn.per_class);
            asked.seed = Some(drawn.seed);
            asked.preprocess = serde_json::to_value(preprocess).ok();
            asked.labels_sha256 = Some(labels_sha256(images.labels()));
            asked.names_sha256 = Some(names_sha256((0..images.len()).map(|i| images.id(i))));
        }
        asked
    }
}

#[derive(Serialize)]
pub(super) struct Asked {
    program: String,
    model_sha256: String,
    /// Name of the output with the logits.
    output: String,
    observer: String,
    target: String,
    weight_bits: u8,
    rounding: String,
    equalize: bool,
    correct_bias: bool,
    rebalance: bool,
    kept_in_float: Vec<String>,
    #[serde(flatten)]
    set: SetAsked,
    /// SHA-256 of the results of the previous passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_passes_sha256: Option<String>,
}

impl Asked {
    pub(super) fn of(
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
        earlier_passes_sha256: Option<String>,
    ) -> Result<Self, QuantError> {
        Ok(Self {
            program: format!("tailfold {}", env!("CARGO_PKG_VERSION")),
            model_sha256: float.sha256.clone(),
            output: float.model.output()?.name().to_owned(),
            observer: options.observer.to_string(),
            target: options.target.name().to_owned(),
            weight_bits: options.weight_bits.get(),
            rounding: options.rounding.name().to_owned(),
            equalize: options.equalize,
            correct_bias: options.correct_bias,
            rebalance: options.rebalance,
            kept_in_float: options.kept(float)?.into_iter().collect(),
            set: SetAsked::of(set),
            earlier_passes_sha256,
        })
    }
}

/// Returns the SHA-256 of the quantization parameters that the first pass chose.
pub(super) fn params_sha256(params: &BTreeMap<String, ActivationParams>) -> String {
    let lines = params.iter().map(|(tensor, p)| {
        let scale = p.scale.to_bits();
        format!("{tensor} {scale:08x} {}\n", p.zero_point)
    });
    artifact::sha256(lines.collect::<String>().as_bytes())
}
