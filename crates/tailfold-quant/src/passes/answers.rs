//! The third pass: what the quantized network answers, for the re-balancing of its last bias.

use serde_json::json;
use tailfold_onnx::Model;
use tailfold_part::{Kind, Part, Parts};
use tailfold_spec::{Logits, Shard, artifact};

use super::{Passes, asked::Asked};
use crate::draft::Draft;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::logits_of_some;
use crate::options::Options;
use crate::quantize::QUANTIZED;

/// What the quantized network answers on all images, as other machines say.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    parts: Parts,
    /// The float network's, where no other pass shows them.
    pub(crate) float: Option<Logits>,
    quantized: Logits,
}

impl Answers {
    /// What `model` answers.
    ///
    /// # Errors
    /// [`QuantError`] when another model was asked.
    pub(crate) fn of(&self, model: &Model) -> Result<&Logits, QuantError> {
        let sha256 = artifact::sha256(&model.to_bytes());
        self.parts
            .check_asked(&json!({"earlier_passes_sha256": sha256}))?;
        Ok(&self.quantized)
    }
}

/// Runs the quantized network over the shard's images: `quantized [n, classes]`, and `float` where no other pass shows that.
pub(super) fn share(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    passes: &Passes,
    shard: Shard,
    progress: &(dyn Fn() + Sync),
) -> Result<Part, QuantError> {
    let draft = Draft::after(float, set, options, passes, progress)?;
    let model = draft.model(&options.kept(float)?)?;
    let own: Vec<usize> = shard.images(set.len()).collect();
    let asked = Asked::of(
        float,
        set,
        options,
        Some(artifact::sha256(&model.to_bytes())),
    )?;
    let mut part = Part::new(Kind::Answers, shard, set.len(), &own, &asked)?;
    let mut put = |name: &str, logits: &Logits| {
        let shape = vec![logits.len(), logits.num_classes()];
        part.put(name, shape, logits.values().to_vec());
    };
    let of_some = |model, name| logits_of_some(model, name, set, &own, progress);
    put("quantized", &of_some(&model, QUANTIZED)?);
    if !options.samples_windows() {
        put("float", &of_some(&float.model, &float.name)?);
    }
    Ok(part)
}

impl Passes {
    /// The answers of the quantized network, where they are known.
    pub(crate) fn answers(
        &self,
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
    ) -> Result<Option<Answers>, QuantError> {
        let Some(parts) = &self.answers else {
            return Ok(None);
        };
        parts.check_asked(&Asked::of(float, set, options, None)?)?;
        parts.check_whole()?;
        let logits = |name: &str| -> Result<Logits, QuantError> {
            let (row, values) = parts.rows::<f32>(name, 2)?;
            Ok(Logits::new(values, row[0])?)
        };
        let of_float = if options.samples_windows() {
            None
        } else {
            Some(logits("float")?)
        };
        Ok(Some(Answers {
            float: of_float,
            quantized: logits("quantized")?,
            parts: parts.clone(),
        }))
    }
}
