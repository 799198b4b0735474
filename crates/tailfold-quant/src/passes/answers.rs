//! The third pass: logits of the quantized network, which class re-balancing needs.

use tailfold_part::{Kind, Part};
use tailfold_spec::{Logits, Shard, artifact};

use super::{Passes, asked::Asked};
use crate::answers::Answers;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::logits_of_some;
use crate::options::Options;
use crate::quantize::QUANTIZED;

/// Runs the quantized network over the shard's images: tensor `quantized [n, classes]`, and `float` if no
/// other pass contains it.
pub(super) fn share(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    passes: &Passes,
    shard: Shard,
    progress: &(dyn Fn() + Sync),
) -> Result<Part, QuantError> {
    let draft = passes.draft(float, set, options, progress)?;
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
    /// Returns the logits of the quantized network, if the parts contain them.
    pub(super) fn answers(
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
        let quantized = logits("quantized")?;
        Ok(Some(Answers::new(parts.clone(), of_float, quantized)))
    }
}
