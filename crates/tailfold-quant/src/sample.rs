//! One run over the images: a sample of each layer's windows, and what the network answers.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_onnx::Model;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::images::CalibrationSet;
use crate::patches::Patches;
use crate::plan::Plan;
use crate::windows::{Taken, Windows};

/// What was taken on one run over the images.
pub(crate) struct Sampled {
    /// A sample for each layer, by index of the node.
    pub(crate) layers: BTreeMap<usize, Patches>,
    /// What the network answered, an image each.
    pub(crate) rows: Vec<Vec<f32>>,
}

/// What one image gives: windows of each layer, and the network's answer.
pub(crate) type OfImage = (Vec<Taken>, Vec<f32>);

/// Takes windows of every layer whose input carries codes, and what the network answers on the way.
pub(crate) struct Sampler {
    observer: TensorObserver,
    /// Index of the node, place of its input among the observed tensors, and its windows.
    layers: Vec<(usize, usize, Windows)>,
    /// Place of the answer among the observed tensors.
    answer: usize,
}

impl Sampler {
    /// For the nodes of `plan.region.weighted`, when `images` images are looked at in all.
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

    /// Indices of the nodes, and their windows.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (usize, &Windows)> {
        self.layers
            .iter()
            .map(|(node, _, windows)| (*node, windows))
    }

    /// What the images `indices` of `set` give, in that order.
    ///
    /// # Errors
    /// [`QuantError`] of the images or the runtime; of several images, that of the first.
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

    /// The samples of all layers: of each, what was taken, in the order of images, and what they were answered.
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

/// A sample for each node of `plan.region.weighted` whose input carries codes, and what the network answers on the way.
///
/// The layers see the float network's values, put through their codes. A byte a value is kept: up to 8192 windows of a layer.
/// The result does not depend on the number of threads. `progress` is called once an image.
///
/// # Errors
/// [`QuantError`] of the graph, the images or the runtime; of several images, that of the first.
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
