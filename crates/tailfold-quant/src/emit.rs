//! Writes QuantizeLinear and DequantizeLinear nodes into a graph, with one function per target.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::affine::{ActivationParams, Scheme};
use crate::error::QuantError;
use crate::names::Names;
use crate::plan::Plan;

mod bias;
mod weights;

pub(crate) use bias::scale_floors;

/// Writes int8 weights with one scale per output channel, uint8 activations, and one Q/DQ pair per tensor.
///
/// Biases stay in float, so the folded offsets are not rounded.
pub(crate) fn tract(model: &mut Model, plan: &Plan) -> Result<(), QuantError> {
    let mut names = Names::of(model);
    let constants = weights::quantize(model, plan, &mut names)?;
    shared_pairs(model, plan, &mut names, constants);
    Ok(())
}

/// Writes the form of [`tract`], but with int32 biases of scale `s_x * s_w`, the scale of ONNX Runtime's
/// accumulators.
pub(crate) fn ort_x86(model: &mut Model, plan: &Plan) -> Result<(), QuantError> {
    let mut names = Names::of(model);
    let mut constants = weights::quantize(model, plan, &mut names)?;
    bias::quantize(model, plan, &mut names, &mut constants)?;
    shared_pairs(model, plan, &mut names, constants);
    Ok(())
}

/// Writes symmetric int8 weights and activations, float biases, and one Q/DQ pair per consumer: TensorRT
/// moves pairs through the graph, and cannot move a pair that has two consumers.
pub(crate) fn tensorrt(model: &mut Model, plan: &Plan) -> Result<(), QuantError> {
    let mut names = Names::of(model);
    let constants = weights::quantize(model, plan, &mut names)?;
    own_pairs(model, plan, &mut names, constants);
    Ok(())
}

/// Nodes to insert before each node, by its index, and the scales of the weights written.
#[derive(Default)]
pub(crate) struct Constants {
    before: BTreeMap<usize, Vec<NodeProto>>,
    /// Scales of the weight of each weighted node.
    scales: BTreeMap<usize, Vec<f32>>,
}

/// Writes scale and zero point of `tensor` as constants, and returns their names.
fn write_params(
    model: &mut Model,
    names: &mut Names,
    tensor: &str,
    params: ActivationParams,
) -> [String; 2] {
    let scale = names.fresh(&format!("{tensor}.scale"));
    let zero = names.fresh(&format!("{tensor}.zero_point"));
    model.set_initializer_f32(&scale, &[], &[params.scale]);
    match params.scheme {
        Scheme::Affine => model.set_initializer_u8(&zero, &[], &[params.zero_point]),
        Scheme::Symmetric => model.set_initializer_i8(&zero, &[], &[0]),
    }
    [scale, zero]
}

/// Returns the Q/DQ pair of `tensor`, and the name of its result; `stem` is the prefix of the names of its
/// outputs.
fn pair(
    names: &mut Names,
    tensor: &str,
    stem: &str,
    [scale, zero]: &[String; 2],
) -> ([NodeProto; 2], String) {
    let codes = names.fresh(&format!("{stem}.codes"));
    let value = names.fresh(&format!("{stem}.dequantized"));
    let quantize = NodeProto::new(
        "QuantizeLinear",
        names.fresh_node(&format!("{stem}.quantize")),
        [tensor, scale, zero],
        [&codes],
    );
    let dequantize = NodeProto::new(
        "DequantizeLinear",
        names.fresh_node(&format!("{stem}.dequantize")),
        [&codes, scale, zero],
        [&value],
    );
    ([quantize, dequantize], value)
}

/// Inserts one Q/DQ pair after the producer of each tensor, which all consumers then read.
fn shared_pairs(model: &mut Model, plan: &Plan, names: &mut Names, constants: Constants) {
    let mut pairs = BTreeMap::new();
    for (tensor, &params) in &plan.params {
        let constants = write_params(model, names, tensor, params);
        pairs.insert(tensor.clone(), pair(names, tensor, tensor, &constants));
    }
    let values: BTreeMap<&str, &str> = pairs
        .iter()
        .map(|(tensor, (_, value))| (tensor.as_str(), value.as_str()))
        .collect();
    for &(node, input) in &plan.region.reads {
        let read = &mut model.graph_mut().node[node].input[input];
        if let Some(value) = values.get(read.as_str()) {
            (*value).clone_into(read);
        }
    }
    let after = pairs
        .into_iter()
        .map(|(tensor, (nodes, _))| (tensor, nodes))
        .collect();
    insert(model, constants, after);
}

/// Inserts one Q/DQ pair before each consumer; all pairs of a tensor share the same constants.
fn own_pairs(model: &mut Model, plan: &Plan, names: &mut Names, mut constants: Constants) {
    let mut written: BTreeMap<String, [String; 2]> = BTreeMap::new();
    for &(node, input) in &plan.region.reads {
        let reader = &model.nodes()[node];
        let (tensor, label) = (reader.input[input].clone(), reader.label().to_owned());
        let Some(&params) = plan.params.get(&tensor) else {
            continue;
        };
        let stem = if written.contains_key(&tensor) {
            format!("{tensor}.{label}")
        } else {
            tensor.clone()
        };
        let params = written
            .entry(tensor.clone())
            .or_insert_with(|| write_params(model, names, &tensor, params));
        let (nodes, value) = pair(names, &tensor, &stem, params);
        constants.before.entry(node).or_default().extend(nodes);
        model.graph_mut().node[node].input[input] = value;
    }
    insert(model, constants, BTreeMap::new());
}

/// Inserts the nodes of `constants` before their consumers, and the pairs of `after` behind the producers.
fn insert(
    model: &mut Model,
    mut constants: Constants,
    mut after: BTreeMap<String, [NodeProto; 2]>,
) {
    let graph = model.graph_mut();
    let mut nodes = Vec::with_capacity(graph.node.len() * 3);
    for input in &graph.input {
        nodes.extend(after.remove(input.name()).into_iter().flatten());
    }
    for (index, node) in std::mem::take(&mut graph.node).into_iter().enumerate() {
        nodes.extend(constants.before.remove(&index).unwrap_or_default());
        let outputs = node.output.clone();
        nodes.push(node);
        for output in outputs {
            nodes.extend(after.remove(&output).into_iter().flatten());
        }
    }
    graph.node = nodes;
}
