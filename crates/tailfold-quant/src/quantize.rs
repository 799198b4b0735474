//! The whole quantization of one model.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;
use tailfold_spec::QuantizationRecord;

use crate::affine::ActivationParams;
use crate::draft::Draft;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::logits;
use crate::options::Options;
use crate::rebalance::rebalance;

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
    /// What the last bias got, `[classes]`, sum 0; `None` when it was not re-balanced.
    pub shifts: Option<Vec<f64>>,
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
    /// The model with every layer quantized but those in `kept`; with `rebalanced`, its last bias keeps every class's mass on `set`.
    ///
    /// # Errors
    /// [`QuantError`] of the graph, the images or the solver.
    pub fn finish(
        &self,
        kept: &BTreeSet<String>,
        set: &CalibrationSet,
        rebalanced: bool,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Quantized, QuantError> {
        let mut model = self.model(kept, None)?;
        let mut shifts = None;
        if rebalanced {
            let answers = self.answers.as_ref();
            let float = match self
                .logits
                .as_ref()
                .or(answers.and_then(|a| a.float.as_ref()))
            {
                Some(known) => known.clone(),
                None => logits(&self.float.model, &self.float.name, set, progress)?,
            };
            let quantized = match answers {
                Some(answers) => answers.of(&model)?.clone(),
                None => logits(&model, QUANTIZED, set, progress)?,
            };
            let found = rebalance(&float, &quantized, set)?;
            model = self.model(kept, Some(&found))?;
            shifts = Some(found);
        }
        let record = self.record(kept);
        let kept = self
            .layers()
            .iter()
            .filter(|layer| kept.contains(*layer))
            .count();
        Ok(Quantized {
            model,
            layers: self.layers().len() - kept,
            activations: self.activations.clone(),
            equalized: self.equalized,
            shifts,
            record,
        })
    }
}

#[cfg(test)]
mod tests;
