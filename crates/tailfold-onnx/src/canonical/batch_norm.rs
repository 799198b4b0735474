//! Batch normalisation at inference is an affine map of each channel: it goes into the convolution before it.

use super::{CanonicalError, fresh, only_reader};
use crate::Model;
use crate::norm::channel_factors;
use crate::proto::GraphProto;

/// Of BatchNormalization, when the node does not say.
const EPSILON: f32 = 1e-5;

/// Folds each BatchNormalization with constants into the Conv with a constant weight before it, if nothing else reads
/// the convolution. The numbers are computed in f64 and rounded once.
pub(super) fn fold(model: &mut Model) -> Result<(), CanonicalError> {
    let mut index = 0;
    while index < model.nodes().len() {
        match conv_before(model.graph(), index) {
            Some(conv) => {
                fold_into(model, conv, index)?;
                model.graph_mut().node.remove(index);
            }
            None => index += 1,
        }
    }
    Ok(())
}

/// Index of the convolution that the batch normalisation at `index` can go into.
fn conv_before(graph: &GraphProto, index: usize) -> Option<usize> {
    let norm = &graph.node[index];
    let constant = |name: &String| graph.find_initializer(name).is_some();
    let inference = norm.is("BatchNormalization")
        && norm.int("training_mode").unwrap_or(0) == 0
        && norm.output.iter().skip(1).all(String::is_empty)
        && norm.input.len() == 5
        && norm.input[1..].iter().all(constant);
    if !inference || !only_reader(graph, &norm.input[0]) {
        return None;
    }
    let conv = graph
        .node
        .iter()
        .position(|n| n.output.contains(&norm.input[0]))?;
    let node = &graph.node[conv];
    let bias = node
        .input
        .get(2)
        .is_none_or(|b| b.is_empty() || constant(b));
    (node.is("Conv") && node.input.get(1).is_some_and(constant) && bias).then_some(conv)
}

fn fold_into(model: &mut Model, conv: usize, norm: usize) -> Result<(), CanonicalError> {
    let (conv_node, norm_node) = (model.nodes()[conv].clone(), model.nodes()[norm].clone());
    let label = norm_node.label().to_owned();
    let weight_name = &conv_node.input[1];
    let (shape, weight) = model.initializer_f32(weight_name)?;
    let channels = shape.first().copied().unwrap_or(0);
    let channel = |input: usize| -> Result<Vec<f32>, CanonicalError> {
        let tensor = &norm_node.input[input];
        let (_, values) = model.initializer_f32(tensor)?;
        if values.len() == channels {
            Ok(values)
        } else {
            Err(CanonicalError::Channels {
                node: label.clone(),
                tensor: tensor.clone(),
                found: values.len(),
                channels,
            })
        }
    };
    let (gamma, beta, mean, var) = (channel(1)?, channel(2)?, channel(3)?, channel(4)?);
    if let Some((channel, &value)) = var.iter().enumerate().find(|(_, v)| **v < 0.0) {
        return Err(CanonicalError::Variance {
            node: label,
            channel,
            value,
        });
    }
    let bias_name = conv_node.input.get(2).filter(|b| !b.is_empty());
    let bias = match bias_name {
        Some(bias) => model.initializer_f32(bias)?.1,
        None => vec![0.0; channels],
    };
    let epsilon = f64::from(norm_node.float("epsilon").unwrap_or(EPSILON));
    let factors = channel_factors(&gamma, &var, epsilon);
    let row = weight.len() / channels.max(1);
    let weight = weight
        .iter()
        .enumerate()
        .map(|(i, &w)| f64::from(w) * factors[i / row.max(1)]);
    let moved = bias.iter().zip(&mean).zip(&beta).zip(&factors);
    let bias =
        moved.map(|(((&b, &m), &beta), f)| f64::from(beta) + (f64::from(b) - f64::from(m)) * f);
    let weight = rounded(weight, row, &label, weight_name)?;
    let wanted = bias_name
        .cloned()
        .unwrap_or_else(|| format!("{}.bias", conv_node.label()));
    let bias = rounded(bias, 1, &label, &wanted)?;
    let graph = model.graph();
    // Another convolution may have the same weight and another normalisation.
    let weight_name = if only_reader(graph, weight_name) {
        weight_name.clone()
    } else {
        fresh(graph, weight_name)
    };
    let bias_name = match bias_name {
        Some(name) if only_reader(graph, name) => name.clone(),
        _ => fresh(graph, &wanted),
    };
    model.set_initializer_f32(&weight_name, &shape, &weight);
    model.set_initializer_f32(&bias_name, &[channels], &bias);
    let node = &mut model.graph_mut().node[conv];
    node.input = vec![conv_node.input[0].clone(), weight_name, bias_name];
    node.output = vec![norm_node.output[0].clone()];
    Ok(())
}

/// `values` in f32; `row` of them make a channel.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one rounding to f32; what does not fit is an error"
)]
fn rounded(
    values: impl Iterator<Item = f64>,
    row: usize,
    node: &str,
    tensor: &str,
) -> Result<Vec<f32>, CanonicalError> {
    let values = values.map(|v| v as f32).enumerate().map(|(index, value)| {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(CanonicalError::Overflow {
                node: node.to_owned(),
                tensor: tensor.to_owned(),
                channel: index / row.max(1),
            })
        }
    });
    values.collect()
}
