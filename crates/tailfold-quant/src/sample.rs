//! One run over the images: a sample of each layer's windows, and what the network answers.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_onnx::Model;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::images::CalibrationSet;
use crate::patches::Patches;
use crate::target::Plan;
use crate::windows::{Taken, Windows};

/// What was taken on one run over the images.
pub(crate) struct Sampled {
    /// A sample for each layer, by index of the node.
    pub(crate) layers: BTreeMap<usize, Patches>,
    /// What the network answered, an image each.
    pub(crate) rows: Vec<Vec<f32>>,
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
        windows.push((tensor, Windows::of(node, &shape, &seen, params, set.len())?));
    }
    let look = |index: usize| -> Result<(Vec<Taken>, Vec<f32>), QuantError> {
        let mut row = Vec::new();
        let mut taken: Vec<Option<Taken>> = vec![None; windows.len()];
        observer.observe(&set.input(index)?, |tensor, values| {
            if tensor == answer {
                row = values.to_vec();
            }
            for ((of, windows), taken) in windows.iter().zip(&mut taken) {
                if *of == tensor {
                    *taken = Some(windows.take(index, values));
                }
            }
        })?;
        progress();
        Ok((taken.into_iter().flatten().collect(), row))
    };
    let images: Vec<Result<_, QuantError>> = (0..set.len()).into_par_iter().map(look).collect();
    let mut by_layer: Vec<Vec<Taken>> = vec![Vec::with_capacity(set.len()); windows.len()];
    let mut rows = Vec::with_capacity(set.len());
    for image in images {
        let (of_layers, row) = image?;
        for (layer, taken) in by_layer.iter_mut().zip(of_layers) {
            layer.push(taken);
        }
        rows.push(row);
    }
    let samples = windows.into_iter().zip(by_layer);
    let samples = samples.map(|((_, windows), taken)| Patches::join(windows, taken));
    let indices = layers.into_iter().map(|(index, _)| index);
    Ok(Sampled {
        layers: indices.zip(samples).collect(),
        rows,
    })
}
