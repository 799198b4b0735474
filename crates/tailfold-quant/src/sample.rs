//! Samples the windows of each layer and the network's outputs, in one run over the images.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_onnx::Model;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::images::CalibrationSet;
use crate::patches::Patches;
use crate::plan::Plan;
use crate::windows::{Taken, Windows};

/// Results of one run over the images.
pub(crate) struct Sampled {
    /// The sample of each layer, by index of the node.
    pub(crate) layers: BTreeMap<usize, Patches>,
    /// The network's outputs, one row per image.
    pub(crate) rows: Vec<Vec<f32>>,
}

/// Results on one image: windows of each layer, and the network's output.
pub(crate) type OfImage = (Vec<Taken>, Vec<f32>);

/// Samples windows of every layer with a quantized input, and the network's outputs.
pub(crate) struct Sampler {
    observer: TensorObserver,
    /// Index of the node, position of its input among the observed tensors, and its windows.
    layers: Vec<(usize, usize, Windows)>,
    /// Position of the output among the observed tensors.
    answer: usize,
}

impl Sampler {
    /// Prepares a sampler of the nodes in `plan.region.weighted`, for a total of `images` images.
    ///
    /// # Errors
    /// [`QuantError`] of the graph or the runtime.
    pub(crate) fn new(
        model: &Model,
        name: &str,
        images: usize,
        plan: &Plan,
    ) -> Result<Self, QuantError> {
        let layers: Vec<(usize, String)> = plan
            .region
            .weighted
            .iter()
            .map(|&index| (index, model.nodes()[index].input[0].clone()))
            .filter(|(_, input)| plan.params.contains_key(input))
            .collect();
        let mut tensors: Vec<String> = layers.iter().map(|(_, input)| input.clone()).collect();
        tensors.sort_unstable();
        tensors.dedup();
        let answer = tensors.len();
        tensors.push(model.output()?.name().to_owned());
        let observer = TensorObserver::from_onnx(&model.to_bytes(), name, &tensors)?;
        let mut windows = Vec::with_capacity(layers.len());
        for (index, input) in &layers {
            let node = &model.nodes()[*index];
            let (shape, _) = model.initializer_f32(&node.input[1])?;
            let tensor = tensors.iter().position(|t| t == input).unwrap_or(0);
            let seen = observer.shapes()[tensor].clone().unwrap_or_default();
            let params = plan.params[input];
            let of_layer = Windows::of(node, &shape, &seen, params, images)?;
            windows.push((*index, tensor, of_layer));
        }
        Ok(Self {
            observer,
            layers: windows,
            answer,
        })
    }

    /// Returns the index and the windows of each node.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (usize, &Windows)> {
        self.layers
            .iter()
            .map(|(node, _, windows)| (*node, windows))
    }

    /// Returns the results on the images `indices` of `set`, in that order.
    ///
    /// # Errors
    /// The [`QuantError`] of the first image that fails.
    pub(crate) fn take(
        &self,
        set: &CalibrationSet,
        indices: &[usize],
        progress: &(dyn Fn() + Sync),
    ) -> Result<Vec<OfImage>, QuantError> {
        let look = |&index: &usize| -> Result<OfImage, QuantError> {
            let mut row = Vec::new();
            let mut taken: Vec<Option<Taken>> = vec![None; self.layers.len()];
            self.observer
                .observe(&set.input(index)?, |tensor, values| {
                    if tensor == self.answer {
                        row = values.to_vec();
                    }
                    for ((_, of, windows), taken) in self.layers.iter().zip(&mut taken) {
                        if *of == tensor {
                            *taken = Some(windows.take(index, values));
                        }
                    }
                })?;
            progress();
            Ok((taken.into_iter().flatten().collect(), row))
        };
        let images: Vec<Result<OfImage, QuantError>> = indices.par_iter().map(look).collect();
        images.into_iter().collect()
    }

    /// Joins the samples of each layer, `taken`, in the order of images, and the outputs of the network.
    pub(crate) fn join(self, taken: Vec<Vec<Taken>>, rows: Vec<Vec<f32>>) -> Sampled {
        let samples = self.layers.into_iter().zip(taken);
        let layers =
            samples.map(|((node, _, windows), taken)| (node, Patches::join(windows, taken)));
        Sampled {
            layers: layers.collect(),
            rows,
        }
    }
}

/// Samples each node of `plan.region.weighted` with a quantized input, and the network's outputs.
///
/// The layers see the quantized values of the float network's activations. One byte per value is kept, for up
/// to 8192 windows per layer. The result does not depend on the number of threads. `progress` is called once
/// per image.
///
/// # Errors
/// [`QuantError`] of the graph, or the error of the first image that fails.
pub(crate) fn sample(
    model: &Model,
    name: &str,
    set: &CalibrationSet,
    plan: &Plan,
    progress: &(dyn Fn() + Sync),
) -> Result<Sampled, QuantError> {
    let sampler = Sampler::new(model, name, set.len(), plan)?;
    let all: Vec<usize> = (0..set.len()).collect();
    let images = sampler.take(set, &all, progress)?;
    let mut by_layer: Vec<Vec<Taken>> = vec![Vec::with_capacity(set.len()); sampler.layers.len()];
    let mut rows = Vec::with_capacity(set.len());
    for (of_layers, row) in images {
        for (layer, taken) in by_layer.iter_mut().zip(of_layers) {
            layer.push(taken);
        }
        rows.push(row);
    }
    Ok(sampler.join(by_layer, rows))
}
