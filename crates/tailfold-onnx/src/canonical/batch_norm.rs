//! Folds per-channel affine nodes into the convolution before them: BatchNormalization at inference, and Mul, Div, Add
//! and Sub with a constant that is a scalar or has one value per channel.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::budget::Budget;
use crate::norm::channel_factors;
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Default of the attribute `epsilon` (ONNX BatchNormalization).
const EPSILON: f32 = 1e-5;

/// A per-channel affine map: channel `c` of the output is `factor[c] * x + shift[c]`.
pub(crate) struct Affine {
    pub(crate) factor: Vec<f64>,
    pub(crate) shift: Vec<f64>,
}

/// Folds each such node into the Conv before it, if the weight of the Conv is an f32 constant and no other node reads
/// its output. The values are computed in f64 and rounded to f32 once per folded node. A budget of
/// elements bounds the work for weights that many convolutions share, and for many nodes after one convolution; the
/// nodes beyond the budget stay.
pub(super) fn fold(model: &mut Model) -> Result<(), OnnxError> {
    if !has_affine(model.graph()) {
        return Ok(());
    }
    let mut budget = Budget::of(model);
    let wires = Wires::of(model.graph());
    let mut names = Fresh::of(model.graph());
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    // Index of the convolution that produces a value after the folds so far.
    let mut made_by: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..model.nodes().len() {
        let node = &model.nodes()[index];
        let Some(value) = affine_input(&wires, node) else {
            continue;
        };
        let conv = made_by.get(value).copied().or_else(|| wires.maker(value));
        let Some(conv) = conv.filter(|&c| takes_affine(model.graph(), c)) else {
            continue;
        };
        if wires.only_reader(value).is_none() {
            continue;
        }
        let elements = elements(model.graph(), conv);
        if budget.elements(elements).is_none() {
            continue;
        }
        let Some(affine) = affine(model, node, value, conv)? else {
            continue;
        };
        let output = node.output[0].clone();
        fold_into(model, &wires, &mut names, conv, index, &affine)?;
        gone.insert(index);
        made_by.insert(output, conv);
    }
    let mut index = 0;
    model.graph_mut().node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    Ok(())
}

/// Whether there are convolutions with constant weights, and nodes that may be affine maps; saves an index of the graph
/// where there are none, as in a quantized file.
fn has_affine(graph: &GraphProto) -> bool {
    let constants: HashSet<&str> = graph.initializer.iter().map(TensorProto::name).collect();
    let is_constant =
        |node: &NodeProto| node.input.get(1).is_some_and(|i| constants.contains(&**i));
    let mut convolutions = graph
        .node
        .iter()
        .filter(|n| n.is("Conv") && n.input.len() > 1);
    let mut maps = graph
        .node
        .iter()
        .filter(|n| AFFINE.iter().any(|op| n.is(op)));
    convolutions.any(is_constant) && maps.next().is_some()
}

/// Operators of affine maps.
const AFFINE: [&str; 5] = ["BatchNormalization", "Mul", "Div", "Add", "Sub"];

/// The non-constant input of `node`, if `node` is an affine map with constant parameters.
fn affine_input<'a>(wires: &Wires, node: &'a NodeProto) -> Option<&'a str> {
    let constant = |name: &String| wires.constant(name).is_some();
    if node.is("BatchNormalization") {
        let inference = node.int("training_mode").unwrap_or(0) == 0
            && node.output.iter().skip(1).all(String::is_empty)
            && node.input.len() == 5
            && node.input[1..].iter().all(constant);
        return inference.then(|| node.input[0].as_str());
    }
    let [a, b] = &node.input[..] else {
        return None;
    };
    let ordered = node.is("Sub") || node.is("Div");
    if !(ordered || node.is("Mul") || node.is("Add")) {
        return None;
    }
    let value = match (constant(a), constant(b)) {
        (false, true) => a,
        (true, false) if !ordered => b,
        _ => return None,
    };
    wires.maker(value).map(|_| value.as_str())
}

/// True if the node `index` is a Conv whose weight and bias are f32 constants.
fn takes_affine(graph: &GraphProto, index: usize) -> bool {
    let node = &graph.node[index];
    let single = |name: &String| {
        let tensor = graph.find_initializer(name);
        tensor.is_some_and(|t| t.element() == Some(DataType::Float))
    };
    node.is("Conv")
        && node.input.get(1).is_some_and(single)
        && node.input.get(2).is_none_or(|b| b.is_empty() || single(b))
}

/// Number of elements of the weight of the Conv at `index`.
fn elements(graph: &GraphProto, index: usize) -> usize {
    let weight = graph.node[index].input.get(1);
    let shape = weight.and_then(|w| graph.find_initializer(w)?.shape().ok());
    shape.map_or(0, |s| s.iter().product())
}

/// The map of `node` over the output channels of the Conv at `conv`; `None` if its constant has another shape or type.
fn affine(
    model: &Model,
    node: &NodeProto,
    value: &str,
    conv: usize,
) -> Result<Option<Affine>, OnnxError> {
    let conv = &model.nodes()[conv];
    let weight = model.graph().find_initializer(&conv.input[1]);
    let shape = weight
        .map(TensorProto::shape)
        .transpose()?
        .unwrap_or_default();
    let (channels, rank) = (shape.first().copied().unwrap_or(0), shape.len());
    if node.is("BatchNormalization") {
        return normalisation(model, node, channels).map(Some);
    }
    let Some(constant) = node.input.iter().find(|i| *i != value) else {
        return Ok(None);
    };
    let Ok((dims, values)) = model.initializer_f32(constant) else {
        return Ok(None);
    };
    // A constant with one value per channel varies along axis 1 alone; a scalar applies to every channel.
    let on_channels = dims.len() <= rank
        && (0..dims.len()).all(|i| {
            let axis = i + rank - dims.len();
            dims[i] == 1 || (axis == 1 && dims[i] == channels)
        });
    if !on_channels {
        return Ok(None);
    }
    let each: Vec<f64> = (0..channels)
        .map(|c| f64::from(values[if values.len() == 1 { 0 } else { c }]))
        .collect();
    let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
    Ok(Some(match node.op_type() {
        "Mul" => Affine {
            factor: each,
            shift: zeros,
        },
        "Div" => Affine {
            factor: each.iter().map(|v| 1.0 / v).collect(),
            shift: zeros,
        },
        "Sub" => Affine {
            factor: ones,
            shift: each.iter().map(|v| -v).collect(),
        },
        _ => Affine {
            factor: ones,
            shift: each,
        },
    }))
}

/// The map of a BatchNormalization, `gamma * (x - mean) / sqrt(var + epsilon) + beta`.
///
/// # Errors
/// [`OnnxErrorKind::Structure`] for a parameter of another length, [`OnnxErrorKind::NotFinite`] for a negative
/// variance.
pub(crate) fn normalisation(
    model: &Model,
    node: &NodeProto,
    channels: usize,
) -> Result<Affine, OnnxError> {
    let label = node.label();
    let channel = |input: usize| -> Result<Vec<f32>, OnnxError> {
        let tensor = &node.input[input];
        let (_, values) = model.initializer_f32(tensor)?;
        if values.len() == channels {
            Ok(values)
        } else {
            Err(OnnxErrorKind::Structure
                .error(format!(
                    "`{tensor}` has {found} values, the convolution before it has {channels} \
                     channels",
                    found = values.len()
                ))
                .at(format_args!("node `{label}`")))
        }
    };
    let (gamma, beta, mean, var) = (channel(1)?, channel(2)?, channel(3)?, channel(4)?);
    if let Some((channel, &value)) = var.iter().enumerate().find(|(_, v)| **v < 0.0) {
        return Err(OnnxErrorKind::NotFinite
            .error(format!("the variance of channel {channel} is {value}"))
            .at(format_args!("node `{label}`")));
    }
    let epsilon = f64::from(node.float("epsilon").unwrap_or(EPSILON));
    let factor = channel_factors(&gamma, &var, epsilon);
    let shift = mean
        .iter()
        .zip(&beta)
        .zip(&factor)
        .map(|((&m, &beta), f)| f64::from(beta) - f64::from(m) * f)
        .collect();
    Ok(Affine { factor, shift })
}

fn fold_into(
    model: &mut Model,
    wires: &Wires,
    names: &mut Fresh,
    conv: usize,
    index: usize,
    affine: &Affine,
) -> Result<(), OnnxError> {
    let (conv_node, node) = (model.nodes()[conv].clone(), model.nodes()[index].clone());
    let label = node.label();
    let weight_name = &conv_node.input[1];
    let (shape, weight) = model.initializer_f32(weight_name)?;
    let channels = affine.factor.len();
    let bias_name = conv_node.input.get(2).filter(|b| !b.is_empty());
    let bias = match bias_name {
        Some(bias) => model.initializer_f32(bias)?.1,
        None => vec![0.0; channels],
    };
    if bias.len() != channels {
        return Err(OnnxErrorKind::Structure
            .error(format!(
                "`{tensor}` has {found} values, the convolution before it has {channels} channels",
                tensor = bias_name.cloned().unwrap_or_default(),
                found = bias.len()
            ))
            .at(format_args!("node `{}`", conv_node.label())));
    }
    let row = weight.len() / channels.max(1);
    let weight = weight
        .iter()
        .enumerate()
        .map(|(i, &w)| f64::from(w) * affine.factor[i / row.max(1)]);
    let moved = bias.iter().zip(&affine.shift).zip(&affine.factor);
    let bias = moved.map(|((&b, shift), f)| f64::from(b) * f + shift);
    let weight = rounded(weight, row, label, weight_name)?;
    let wanted = bias_name
        .cloned()
        .unwrap_or_else(|| format!("{}.bias", conv_node.label()));
    let bias = rounded(bias, 1, label, &wanted)?;
    // A shared tensor is copied, since another convolution may read it without this normalisation. A tensor that an
    // earlier fold added is read by this convolution alone.
    let own = |name: &str| {
        wires.only_reader(name).is_some() || (wires.constant(name).is_none() && !name.is_empty())
    };
    let weight_name = if own(weight_name) {
        weight_name.clone()
    } else {
        names.name(weight_name)
    };
    let bias_name = match bias_name {
        Some(name) if own(name) => name.clone(),
        _ => names.name(&wanted),
    };
    model.set_initializer_f32(&weight_name, &shape, &weight);
    model.set_initializer_f32(&bias_name, &[channels], &bias);
    let folded = &mut model.graph_mut().node[conv];
    folded.input = vec![conv_node.input[0].clone(), weight_name, bias_name];
    folded.output = vec![node.output[0].clone()];
    Ok(())
}

/// Rounds `values` to f32; each channel has `row` consecutive values.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the only rounding to f32; an overflow is an error"
)]
fn rounded(
    values: impl Iterator<Item = f64>,
    row: usize,
    node: &str,
    tensor: &str,
) -> Result<Vec<f32>, OnnxError> {
    let values = values.map(|v| v as f32).enumerate().map(|(index, value)| {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(OnnxErrorKind::NotFinite
                .error(format!(
                    "folded into `{tensor}`, channel {channel} is not finite",
                    channel = index / row.max(1)
                ))
                .at(format_args!("node `{node}`")))
        }
    });
    values.collect()
}
