//! A quantization of every layer, of which any part can be written.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tailfold_onnx::Model;
use tailfold_spec::{Logits, QuantizationRecord};

use crate::affine::ActivationParams;
use crate::bias::add_to_bias;
use crate::calibrate::observe;
use crate::codes::{Choice, choose, mean_errors};
use crate::equalize::equalize;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::of_rows;
use crate::names::Names;
use crate::options::Options;
use crate::record::{self, write_record};
use crate::regions::{Region, find_region};
use crate::sample::sample;
use crate::statistics::{LayerStatistics, TensorStatistics, of_weights};
use crate::target::{Plan, Target};
use crate::weights::WeightParams;

/// Ranges and codes of a whole model.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub(crate) float: &'a FloatModel,
    /// The float model, equalized where that was asked for.
    model: Model,
    target: Target,
    record: QuantizationRecord,
    /// Names of the layers, in graph order.
    layers: Vec<String>,
    /// Of each observed tensor.
    pub(crate) activations: BTreeMap<String, ActivationParams>,
    weights: BTreeMap<String, WeightParams>,
    /// What each bias gets, by index of its node.
    bias_errors: BTreeMap<usize, Vec<f64>>,
    /// Pairs of layers that were equalized.
    pub(crate) equalized: usize,
    /// What the float network answers on the calibration images, where that is known.
    pub(crate) logits: Option<Logits>,
    /// Of each observed tensor, in graph order; empty where they were not asked for.
    tensors: Vec<TensorStatistics>,
}

impl<'a> Draft<'a> {
    /// Observes ranges and chooses codes for every layer of `float`.
    ///
    /// # Errors
    /// [`QuantError`].
    pub fn new(
        float: &'a FloatModel,
        set: &CalibrationSet,
        options: &Options,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Self, QuantError> {
        float.check_folded()?;
        let mut model = float.model.clone();
        let equalized = if options.equalize {
            equalize(&mut model)?
        } else {
            0
        };
        let region = find_region(&model, &BTreeSet::new(), options.target.placement())?;
        let (activations, tensors) =
            calibrated(&model, &float.name, set, &region, options, progress)?;
        let mut plan = Plan {
            params: with_derived(&region, &activations),
            region,
            weights: BTreeMap::new(),
        };
        let (samples, logits) = if options.samples_windows() {
            let sampled = sample(&model, &float.name, set, &plan, progress)?;
            let answers = of_rows(&model, sampled.rows, float.num_classes())?;
            (sampled.layers, Some(answers))
        } else {
            (BTreeMap::new(), None)
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
        let layers = plan.region.weighted.iter();
        Ok(Self {
            float,
            target: options.target,
            record: record::of_int8(options, float, set),
            layers: layers
                .map(|&index| model.nodes()[index].label().to_owned())
                .collect(),
            model,
            activations,
            weights: plan.weights,
            bias_errors,
            equalized,
            logits,
            tensors,
        })
    }

    /// Names of the layers that can become integer, in graph order.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// What the codes do to each activation, in graph order; empty unless [`Options::statistics`] asks for it.
    pub fn tensors(&self) -> &[TensorStatistics] {
        &self.tensors
    }

    /// What the codes do to the weights of each layer, when those in `kept` stay in float.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when a weight is no float constant.
    pub fn layer_statistics(
        &self,
        kept: &BTreeSet<String>,
    ) -> Result<Vec<LayerStatistics>, QuantError> {
        let nodes = self
            .layers
            .iter()
            .filter_map(|layer| self.model.node(layer));
        nodes
            .map(|node| {
                let (shape, float) = self.model.initializer_f32(&node.input[1])?;
                let codes = self
                    .weights
                    .get(&node.input[1])
                    .filter(|_| !kept.contains(node.label()));
                let (sqnr_db, scales) =
                    codes.map_or((None, None), |codes| of_weights(&float, codes));
                let bytes = float.len() * 4;
                Ok(LayerStatistics {
                    layer: node.label().to_owned(),
                    operator: node.op_type().to_owned(),
                    shape,
                    quantized: codes.is_some(),
                    bytes: [bytes, if codes.is_some() { float.len() } else { bytes }],
                    scales,
                    sqnr_db,
                    input: node.input[0].clone(),
                })
            })
            .collect()
    }

    /// The bias of the head in float, and what `shifts` and the correction of its mean make of it, `[classes]` each; `None` for a
    /// head without one.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when the model has no single output, or the bias is no float constant.
    pub fn head_bias(
        &self,
        kept: &BTreeSet<String>,
        shifts: Option<&[f64]>,
    ) -> Result<Option<[Vec<f64>; 2]>, QuantError> {
        let Some(head) = self.float.head()? else {
            return Ok(None);
        };
        let Some(name) = head.input.get(2).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let (_, bias) = self.model.initializer_f32(name)?;
        let before: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
        let mut after = before.clone();
        let index = self
            .model
            .nodes()
            .iter()
            .position(|n| n.label() == head.label());
        let errors = index.and_then(|i| self.bias_errors.get(&i));
        let errors = errors.filter(|_| !kept.contains(head.label()));
        for added in [errors.map(Vec::as_slice), shifts].into_iter().flatten() {
            after.iter_mut().zip(added).for_each(|(b, a)| *b += a);
        }
        Ok(Some([before, after]))
    }

    /// Bytes of each layer's weights in float, in the order of [`Draft::layers`]; a quarter of it in codes.
    pub fn weight_bytes(&self) -> Vec<usize> {
        let weights = self
            .layers
            .iter()
            .filter_map(|layer| self.model.node(layer));
        weights
            .map(|node| {
                self.weights
                    .get(&node.input[1])
                    .map_or(0, |w| w.codes.len() * 4)
            })
            .collect()
    }

    /// How the model with `kept` in float was quantized.
    pub(crate) fn record(&self, kept: &BTreeSet<String>) -> QuantizationRecord {
        QuantizationRecord {
            kept_in_float: kept.iter().cloned().collect(),
            ..self.record.clone()
        }
    }

    /// The model with `layer` alone quantized.
    ///
    /// # Errors
    /// As [`Draft::model`].
    pub(crate) fn alone(&self, layer: &str) -> Result<Model, QuantError> {
        let others = self.model.nodes().iter().map(|n| n.label().to_owned());
        self.model(&others.filter(|other| other != layer).collect(), None)
    }

    /// Checks that every name of `kept` is a layer's.
    ///
    /// # Errors
    /// [`QuantError::NoLayer`].
    pub(crate) fn check_layers(&self, kept: &BTreeSet<String>) -> Result<(), QuantError> {
        match kept.iter().find(|name| !self.layers.contains(name)) {
            None => Ok(()),
            Some(name) => Err(QuantError::NoLayer {
                name: name.clone(),
                layers: self.layers.join(", "),
            }),
        }
    }

    /// The model with every layer quantized but those in `kept`, and `shifts` `[classes]` added to its logits.
    ///
    /// # Errors
    /// [`QuantError::NothingToQuantize`] when nothing is left, or [`QuantError::NotLogits`].
    pub fn model(
        &self,
        kept: &BTreeSet<String>,
        shifts: Option<&[f64]>,
    ) -> Result<Model, QuantError> {
        let mut model = self.model.clone();
        let region = find_region(&model, kept, self.target.placement())?;
        let mut names = Names::of(&model);
        for &index in &region.weighted {
            if let Some(errors) = self.bias_errors.get(&index) {
                add_to_bias(&mut model, &mut names, index, errors)?;
            }
        }
        if let Some(shifts) = shifts {
            self.float.shift_logits(&mut model, shifts)?;
        }
        let plan = Plan {
            params: with_derived(&region, &self.activations),
            region,
            weights: self.weights.clone(),
        };
        self.target.emit(&mut model, &plan)?;
        write_record(&mut model, self.float, self.record(kept))?;
        Ok(model)
    }
}

/// Parameters of each observed tensor, and what they do to it.
fn calibrated(
    model: &Model,
    name: &str,
    set: &CalibrationSet,
    region: &Region,
    options: &Options,
    progress: &(dyn Fn() + Sync),
) -> Result<(BTreeMap<String, ActivationParams>, Vec<TensorStatistics>), QuantError> {
    let seen = observe(
        &model.to_bytes(),
        name,
        set,
        &region.observed,
        options.statistics || options.observer.needs_histogram(),
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
            let params = ActivationParams::of_range(range, scheme);
            let line = seen.histogram.line();
            let statistics = TensorStatistics::of(tensor, extremes, &line, params);
            Ok((tensor.clone(), params, statistics))
        })
        .collect();
    let (mut activations, mut statistics) = (BTreeMap::new(), Vec::new());
    for found in params {
        let (tensor, params, of_tensor) = found?;
        activations.insert(tensor, params);
        statistics.push(of_tensor);
    }
    if !options.statistics {
        statistics.clear();
    }
    Ok((activations, statistics))
}

/// `params`, and those of the tensors that only move observed values.
fn with_derived(
    region: &Region,
    activations: &BTreeMap<String, ActivationParams>,
) -> BTreeMap<String, ActivationParams> {
    let mut params = activations.clone();
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
