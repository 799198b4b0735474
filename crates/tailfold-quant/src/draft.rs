//! A quantization of every layer; a model can be written with all or some of the layers quantized.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::{LastBias, Model, add_to_bias};
use tailfold_spec::{Logits, QuantizationRecord};

use crate::affine::ActivationParams;
use crate::answers::Answers;
use crate::codes::{Choice, choose, mean_errors};
use crate::equalize::ChannelSpread;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::of_rows;
use crate::options::Options;
use crate::plan::Plan;
use crate::portable::limit_versions;
use crate::ranges::with_derived;
use crate::record::{self, write_record};
use crate::regions::find_region;
use crate::sample::{Sampled, sample};
use crate::statistics::TensorStatistics;
use crate::target::Target;
use crate::weights::WeightParams;

mod description;
mod ranged;

pub(crate) use ranged::{Graph, Ranged};

/// Ranges and quantized weights of a whole model.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub(crate) float: &'a FloatModel,
    /// The float model, equalized if the options ask for it.
    model: Model,
    target: Target,
    record: QuantizationRecord,
    /// Names of the layers, in graph order.
    layers: Vec<String>,
    /// Scale and zero point of each observed tensor.
    pub(crate) activations: BTreeMap<String, ActivationParams>,
    weights: BTreeMap<String, WeightParams>,
    /// Correction of each channel's bias, by index of the node.
    bias_errors: BTreeMap<usize, Vec<f64>>,
    /// Pairs of layers that were equalized.
    pub(crate) equalized: usize,
    /// The activation that equalization would help most; `None` when there is none or the model was equalized.
    pub(crate) spread: Option<ChannelSpread>,
    /// Logits of the float network on the calibration images, if they are known.
    pub(crate) logits: Option<Logits>,
    /// Logits of the quantized network that other machines computed.
    pub(crate) answers: Option<Answers>,
    /// Statistics of each observed tensor, in graph order; empty if the options do not ask for them.
    tensors: Vec<TensorStatistics>,
}

impl<'a> Draft<'a> {
    /// Observes ranges and quantizes the weights of every layer of `float`.
    ///
    /// # Errors
    /// [`QuantError`], for example for an unknown layer name in the options.
    pub fn new(
        float: &'a FloatModel,
        set: &CalibrationSet,
        options: &Options,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Self, QuantError> {
        let ranged = Graph::of(float, options)?.ranged(float, set, options, None, progress)?;
        Self::of_ranges(float, set, options, ranged, None, progress)
    }

    /// Quantizes the weights, given the quantization parameters of the activations; `sampled` has the sampled
    /// windows of the layers, if they are known.
    ///
    /// # Errors
    /// As [`Draft::new`].
    pub(crate) fn of_ranges(
        float: &'a FloatModel,
        set: &CalibrationSet,
        options: &Options,
        ranged: Ranged,
        sampled: Option<Sampled>,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Self, QuantError> {
        let Ranged {
            model,
            equalized,
            layers,
            mut plan,
            activations,
            tensors,
        } = ranged;
        let (samples, logits) = if options.samples_windows() {
            let sampled = match sampled {
                Some(known) => known,
                None => sample(&model, &float.name, set, &plan, progress)?,
            };
            let answers = of_rows(&model, sampled.rows, float.num_classes())?;
            (sampled.layers, Some(answers))
        } else {
            (BTreeMap::new(), None)
        };
        let spread = if options.equalize {
            None
        } else {
            ChannelSpread::of(&model)?
        };
        let floors = options.target.scale_floors(&model, &plan)?;
        let choice = Choice {
            bits: options.weight_bits,
            rounding: options.rounding,
            means_are_corrected: options.correct_bias,
        };
        plan.weights = choose(&model, &plan, &floors, &samples, choice)?;
        let bias_errors = if options.correct_bias {
            mean_errors(&model, &plan, &samples)?
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            float,
            target: options.target,
            record: record::of_int8(options, float, set),
            layers,
            model,
            activations,
            weights: plan.weights,
            bias_errors,
            equalized,
            spread,
            logits,
            answers: None,
            tensors,
        })
    }

    /// Returns the record of a quantization that keeps `kept` in float.
    pub(crate) fn record(&self, kept: &BTreeSet<String>) -> QuantizationRecord {
        QuantizationRecord {
            kept_in_float: kept.iter().cloned().collect(),
            ..self.record.clone()
        }
    }

    /// Returns the model in which `layer` is the only quantized layer.
    ///
    /// # Errors
    /// As [`Draft::model`].
    pub(crate) fn alone(&self, layer: &str) -> Result<Model, QuantError> {
        let others = self.model.nodes().iter().map(|n| n.label().to_owned());
        self.model(&others.filter(|other| other != layer).collect())
    }

    /// Returns the model with every layer quantized except `kept`, which includes the layers that the options keep in
    /// float; its last bias is not re-balanced.
    ///
    /// # Errors
    /// [`QuantError`] when no layer is left.
    pub fn model(&self, kept: &BTreeSet<String>) -> Result<Model, QuantError> {
        self.emitted(kept, None, self.record(kept))
    }

    /// Returns the model of [`Draft::model`] with `shifts` `[classes]` added to its logits by a bias, and with `record`
    /// in its metadata.
    ///
    /// # Errors
    /// As [`Draft::model`], or [`QuantError`] when the bias is not a float constant.
    pub(crate) fn emitted(
        &self,
        kept: &BTreeSet<String>,
        shifts: Option<(&LastBias, &[f64])>,
        record: QuantizationRecord,
    ) -> Result<Model, QuantError> {
        let mut model = self.model.clone();
        let region = find_region(&model, kept, self.target.placement(), self.float.shapes())?;
        for &index in &region.weighted {
            if let Some(errors) = self.bias_errors.get(&index) {
                add_to_bias(&mut model, index, errors)?;
            }
        }
        if let Some((bias, shifts)) = shifts {
            bias.shift(&mut model, shifts)?;
        }
        let plan = Plan {
            params: with_derived(&region, &self.activations),
            region,
            weights: self.weights.clone(),
        };
        self.target.emit(&mut model, &plan)?;
        limit_versions(&mut model, self.target)?;
        write_record(&mut model, self.float, record)?;
        Ok(model)
    }
}
