//! The whole quantization of one model.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;
use tailfold_spec::{Logits, QuantizationRecord};

use crate::affine::ActivationParams;
use crate::draft::Draft;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::{logits, same_decisions};
use crate::options::Options;
use crate::rebalance::{LeftOut, Rebalanced, rebalance, shifted};
use crate::record::REBALANCE;
use crate::shift::LastBias;

/// Name of the quantized model in messages.
pub(crate) const QUANTIZED: &str = "the quantized model";

/// A quantized model and what was done.
#[derive(Debug)]
pub struct Quantized {
    /// The model, standard ONNX with QDQ nodes.
    pub model: Model,
    /// Quantized Conv and Gemm nodes.
    pub layers: usize,
    /// Scale and zero point of each observed activation tensor.
    pub activations: BTreeMap<String, ActivationParams>,
    /// Pairs of layers that were equalized.
    pub equalized: usize,
    /// How it was quantized.
    pub record: QuantizationRecord,
    /// What the last bias got.
    pub rebalance: Rebalanced,
    /// Share of the calibration images that the model decides (top-1) as the float model, 0 to 1; `None` without re-balancing,
    /// for which both models run on them.
    pub calibration_agreement: Option<f64>,
}

/// Quantizes `float` with ranges observed on `set`. The same input gives the same bytes, whatever the number of threads.
/// `progress` is called as often for each image as [`Options::passes`] say together.
///
/// # Errors
/// [`QuantError`].
pub fn quantize(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    progress: &(dyn Fn() + Sync),
) -> Result<Quantized, QuantError> {
    let draft = Draft::new(float, set, options, progress)?;
    draft.finish(&options.kept(float)?, set, options.rebalance, progress)
}

impl Draft<'_> {
    /// The model with every layer quantized but those in `kept`; with `rebalanced`, its last bias keeps every class's mass on `set`,
    /// as far as [`Rebalanced`] says.
    ///
    /// # Errors
    /// [`QuantError`] of the graph or the images.
    pub fn finish(
        &self,
        kept: &BTreeSet<String>,
        set: &CalibrationSet,
        rebalanced: bool,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Quantized, QuantError> {
        let mut model = self.model(kept)?;
        let mut record = self.record(kept);
        let mut rebalance = Rebalanced::NotAsked;
        let mut calibration_agreement = None;
        if rebalanced {
            let [float, mut quantized] = self.both_logits(&model, set, progress)?;
            rebalance = match self.shifts(&float, &quantized, set)? {
                Ok((bias, shifts)) => {
                    model = self.emitted(kept, Some((&bias, &shifts)), record.clone())?;
                    quantized = shifted(&quantized, &shifts);
                    Rebalanced::Done(shifts)
                }
                Err(reason) => {
                    record.corrections.retain(|c| c != REBALANCE);
                    model = self.emitted(kept, None, record.clone())?;
                    Rebalanced::LeftOut(reason)
                }
            };
            let same = same_decisions(&float, &quantized) as f64;
            calibration_agreement = Some(same / float.len() as f64);
        }
        let kept = self.layers().iter().filter(|layer| kept.contains(*layer));
        Ok(Quantized {
            model,
            layers: self.layers().len() - kept.count(),
            activations: self.activations.clone(),
            equalized: self.equalized,
            rebalance,
            calibration_agreement,
            record,
        })
    }

    /// The bias that re-balances the model that answers `quantized`, and what the logits get; or why there is none.
    fn shifts(
        &self,
        float: &Logits,
        quantized: &Logits,
        set: &CalibrationSet,
    ) -> Result<Result<(LastBias, Vec<f64>), LeftOut>, QuantError> {
        let bias = match self.float.last_bias()? {
            Ok(bias) => bias,
            Err(reason) => return Ok(Err(reason)),
        };
        let found = rebalance(float, quantized, set)?;
        Ok(found.map(|shifts| (bias, shifts)))
    }

    /// What the float model and `model`, its quantized form, answer on `set`.
    fn both_logits(
        &self,
        model: &Model,
        set: &CalibrationSet,
        progress: &(dyn Fn() + Sync),
    ) -> Result<[Logits; 2], QuantError> {
        let answers = self.answers.as_ref();
        let known = self.logits.as_ref();
        let float = match known.or(answers.and_then(|a| a.float.as_ref())) {
            Some(known) => known.clone(),
            None => logits(&self.float.model, &self.float.name, set, progress)?,
        };
        let quantized = match answers {
            Some(answers) => answers.of(model)?.clone(),
            None => logits(model, QUANTIZED, set, progress)?,
        };
        Ok([float, quantized])
    }
}

#[cfg(test)]
mod tests;
