//! Quantization of a model, from ranges to the finished graph.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::{LastBias, Model};
use tailfold_spec::{Logits, QuantizationRecord};

use crate::affine::ActivationParams;
use crate::draft::Draft;
use crate::equalize::ChannelSpread;
use crate::error::QuantError;
use crate::fit::Fit;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::layers::{FloatLayer, in_float};
use crate::logits::logits;
use crate::options::Options;
use crate::rebalance::{LeftOut, Rebalanced, rebalance, shifted};
use crate::record::REBALANCE;
use crate::warning::Warning;

/// Name of the quantized model in messages.
pub(crate) const QUANTIZED: &str = "the quantized model";

/// A quantized model, and the outcome of each step.
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
    /// Record of the quantization.
    pub record: QuantizationRecord,
    /// Outcome of the re-balancing of the last bias.
    pub rebalance: Rebalanced,
    /// Layers with weights that stay in float, in graph order.
    pub float_layers: Vec<FloatLayer>,
    /// Agreement with the float model on the calibration images; `None` without re-balancing, since only re-balancing
    /// runs both models on them.
    pub fit: Option<Fit>,
    /// The activation that equalization would help most; `None` when there is none or the model was equalized.
    spread: Option<ChannelSpread>,
}

/// Largest number of layers that [`Quantized::layers_line`] names.
const NAMED: usize = 8;

impl Quantized {
    /// Returns a line with the number of integer layers and the names of the float layers.
    pub fn layers_line(&self) -> String {
        let all = self.layers + self.float_layers.len();
        let mut line = format!("{} of {all} layers become integer", self.layers);
        if !self.float_layers.is_empty() {
            let names = self
                .float_layers
                .iter()
                .take(NAMED)
                .map(ToString::to_string);
            line += &format!("; in float: {}", names.collect::<Vec<_>>().join(", "));
        }
        if self.float_layers.len() > NAMED {
            line += &format!(" and {} more", self.float_layers.len() - NAMED);
        }
        line
    }

    /// Returns the warnings for the user.
    pub fn warnings(&self) -> Vec<Warning> {
        let left_out = self.rebalance.left_out().cloned().map(Warning::LeftOut);
        let accuracy = Warning::of_accuracy(self.fit, self.spread.clone());
        left_out.into_iter().chain(accuracy).collect()
    }
}

/// Quantizes `float` with ranges observed on `set`. The same input gives the same bytes, with any number of
/// threads. For each image, `progress` is called as often as the two numbers of [`Options::passes`] sum to.
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
    /// Returns the model with every layer quantized except `kept`. If `rebalanced` is true, its last bias is
    /// shifted to keep every class's mass on `set`; [`Quantized::rebalance`] has the outcome.
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
        let mut fit = None;
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
            fit = Some(Fit::of(&float, &quantized));
        }
        let layers = self.layers().iter().map(String::as_str);
        let integer: BTreeSet<&str> = layers.filter(|layer| !kept.contains(*layer)).collect();
        Ok(Quantized {
            model,
            layers: integer.len(),
            float_layers: in_float(&self.float.model, &integer),
            activations: self.activations.clone(),
            equalized: self.equalized,
            rebalance,
            fit,
            spread: self.spread.clone(),
            record,
        })
    }

    /// Returns the last bias and the shifts of the logits, `[classes]`, that re-balance a model with the logits
    /// `quantized`; or the reason why it is not re-balanced.
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

    /// Returns the logits of the float model and of `model`, its quantized form, on `set`.
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
