//! The graph whose activations are observed, and the quantization parameters of its activations.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;

use crate::affine::ActivationParams;
use crate::equalize::equalize;
use crate::error::{QuantError, QuantErrorKind};
use crate::float::FloatModel;
use crate::form::check_single;
use crate::images::CalibrationSet;
use crate::observer::Seen;
use crate::options::Options;
use crate::plan::Plan;
use crate::portable::explicit_pads;
use crate::ranges::{calibrated, with_derived};
use crate::regions::{Region, find_region};
use crate::statistics::TensorStatistics;

/// Results of the first pass: the graph, and the quantization parameters of its activations.
pub(crate) struct Ranged {
    pub(crate) model: Model,
    pub(super) equalized: usize,
    pub(super) layers: Vec<String>,
    /// Plan without quantized weights.
    pub(crate) plan: Plan,
    pub(crate) activations: BTreeMap<String, ActivationParams>,
    pub(super) tensors: Vec<TensorStatistics>,
}

/// The graph whose activations are observed.
pub(crate) struct Graph {
    pub(crate) model: Model,
    pub(super) equalized: usize,
    pub(super) layers: Vec<String>,
    pub(crate) region: Region,
}

impl Graph {
    /// Prepares the graph: equalizes it if the options ask for it, and finds the layers to quantize.
    ///
    /// # Errors
    /// [`QuantError`] of the graph, or [`QuantErrorKind::Option`] for an unknown layer name in the options.
    pub(crate) fn of(float: &FloatModel, options: &Options) -> Result<Self, QuantError> {
        check_single(float)?;
        float.check_folded()?;
        let mut model = float.model.clone();
        explicit_pads(&mut model, &float.name)?;
        let equalized = if options.equalize {
            equalize(&mut model)?
        } else {
            0
        };
        let placement = options.target.placement();
        let all = find_region(&model, &BTreeSet::new(), placement, float.shapes())?;
        let layers = all.weighted.iter();
        let layers = layers.map(|&index| model.nodes()[index].label().to_owned());
        let layers: Vec<String> = layers.collect();
        check_layers(&layers, &options.kept_in_float)?;
        // A layer that stays in float may be dead.
        let region = find_region(&model, &options.kept(float)?, placement, float.shapes())?;
        Ok(Self {
            model,
            equalized,
            layers,
            region,
        })
    }
    /// Chooses scale and zero point of each activation, from its `known` statistics or from the images of `set`.
    ///
    /// # Errors
    /// [`QuantError`] of the images or the runtime.
    pub(crate) fn ranged(
        self,
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
        known: Option<Vec<Seen>>,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Ranged, QuantError> {
        let Self {
            model,
            equalized,
            layers,
            region,
        } = self;
        let (activations, tensors) =
            calibrated(&model, &float.name, set, &region, options, known, progress)?;
        let plan = Plan {
            params: with_derived(&region, &activations),
            region,
            weights: BTreeMap::new(),
        };
        Ok(Ranged {
            model,
            equalized,
            layers,
            plan,
            activations,
            tensors,
        })
    }
}

/// Checks that every name of `kept` is one of `layers`.
fn check_layers(layers: &[String], kept: &BTreeSet<String>) -> Result<(), QuantError> {
    match kept.iter().find(|name| !layers.contains(name)) {
        None => Ok(()),
        Some(name) => Err(QuantErrorKind::Option.error(format!(
            "no layer `{name}` becomes integer: those that do are {layers}",
            layers = layers.join(", ")
        ))),
    }
}
