//! Quantized weights of all layers, and the mean error that quantization causes in each channel.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_onnx::Model;

use crate::error::QuantError;
use crate::patches::Patches;
use crate::plan::Plan;
use crate::rounding::{Quadratic, Rounding};
use crate::weights::{WeightBits, WeightParams, quantize_weights};

/// How weights are quantized.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) bits: WeightBits,
    pub(crate) rounding: Rounding,
    /// Whether a bias will absorb each channel's mean error, so that rounding need not avoid the error.
    pub(crate) means_are_corrected: bool,
}

/// Quantizes the weights of every weighted node of `plan`, by name of the weight; no scale is below `floors`.
pub(crate) fn choose(
    model: &Model,
    plan: &Plan,
    floors: &BTreeMap<String, Vec<f32>>,
    samples: &BTreeMap<usize, Patches>,
    choice: Choice,
) -> Result<BTreeMap<String, WeightParams>, QuantError> {
    // A weight that several nodes share is quantized for the first node.
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for &index in &plan.region.weighted {
        first.entry(&model.nodes()[index].input[1]).or_insert(index);
    }
    let chosen: Vec<Result<_, QuantError>> = first
        .into_par_iter()
        .map(|(weight, index)| {
            let (shape, values) = model.initializer_f32(weight)?;
            let none = vec![0.0; shape.first().copied().unwrap_or(0)];
            let floors = floors.get(weight).unwrap_or(&none);
            let nearest = quantize_weights(weight, &values, floors, choice.bits)?;
            let params = match (choice.rounding, samples.get(&index)) {
                (Rounding::Adaptive, Some(sample)) => adaptive(&values, floors, sample, choice),
                _ => nearest,
            };
            Ok((weight.to_owned(), params))
        })
        .collect();
    chosen.into_iter().collect()
}

/// Quantizes the weights to minimise the squared error of each channel's sums.
fn adaptive(values: &[f32], floors: &[f32], sample: &Patches, choice: Choice) -> WeightParams {
    let dim = sample.windows.dim.max(1);
    let rows_a_group = (floors.len() / sample.windows.groups.max(1)).max(1);
    let groups = values
        .par_chunks(dim * rows_a_group)
        .zip(floors.par_chunks(rows_a_group));
    let rows: Vec<(f32, Vec<i8>)> = groups
        .enumerate()
        .flat_map(|(group, (rows, floors))| {
            let quadratic = Quadratic::new(if choice.means_are_corrected {
                sample.covariance(group)
            } else {
                sample.second_moments(group)
            });
            let rows = rows.par_chunks(dim).zip(floors);
            rows.map(|(row, &floor)| quadratic.round(row, floor, choice.bits))
                .collect::<Vec<_>>()
        })
        .collect();
    let (scales, codes): (Vec<f32>, Vec<Vec<i8>>) = rows.into_iter().unzip();
    WeightParams {
        scales,
        codes: codes.concat(),
    }
}

/// Returns the error of each channel's mean that the quantization of its input and weights causes, by node
/// index (Nagel et al., ICCV 2019, section 4.2, with measured means in place of the means that batch
/// normalisation implies).
pub(crate) fn mean_errors(
    model: &Model,
    plan: &Plan,
    samples: &BTreeMap<usize, Patches>,
) -> Result<BTreeMap<usize, Vec<f64>>, QuantError> {
    let mut errors = BTreeMap::new();
    for (&index, sample) in samples {
        let weight = &model.nodes()[index].input[1];
        let Some(params) = plan.weights.get(weight) else {
            continue;
        };
        let (_, float) = model.initializer_f32(weight)?;
        let quantized: Vec<f32> = params.dequantized().collect();
        errors.insert(
            index,
            of_channels(&float, &quantized, params.scales.len(), sample),
        );
    }
    Ok(errors)
}

/// Returns the mean error of each channel, in the order of the weights' rows.
fn of_channels(float: &[f32], quantized: &[f32], channels: usize, sample: &Patches) -> Vec<f64> {
    let dim = sample.windows.dim.max(1);
    let rows_a_group = (channels / sample.windows.groups.max(1)).max(1);
    let groups = float
        .chunks(dim * rows_a_group)
        .zip(quantized.chunks(dim * rows_a_group))
        .enumerate();
    groups
        .flat_map(|(group, (float, quantized))| {
            let means = sample.means(group);
            let rows = float.chunks(dim).zip(quantized.chunks(dim));
            rows.map(move |(f, q)| means.error(f, q))
                .collect::<Vec<_>>()
        })
        .collect()
}
