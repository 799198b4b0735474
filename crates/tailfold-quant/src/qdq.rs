//! Writes codes into a graph: QuantizeLinear and DequantizeLinear around what becomes integer.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::affine::{ActivationParams, quantize_weights};
use crate::error::QuantError;
use crate::regions::Region;

fn dequantized(tensor: &str) -> String {
    format!("{tensor}.dequantized")
}

/// Rewrites `model`: weights as int8 with one scale an output channel, activations of `region` as uint8 with `params`.
///
/// Biases stay in float: nothing of the folded offsets is rounded.
pub(crate) fn insert_qdq(
    model: &mut Model,
    region: &Region,
    params: &BTreeMap<String, ActivationParams>,
) -> Result<(), QuantError> {
    let weights: Vec<(usize, String)> = region
        .weighted
        .iter()
        .map(|&index| (index, model.nodes()[index].input[1].clone()))
        .collect();
    let mut before: BTreeMap<usize, Vec<NodeProto>> = BTreeMap::new();
    for (index, weight) in weights {
        let (shape, values) = model.initializer_f32(&weight)?;
        let channels = shape.first().copied().unwrap_or(0);
        let quantized = quantize_weights(&weight, &values, channels)?;
        let (codes, scales, zeros) = (
            format!("{weight}.codes"),
            format!("{weight}.scale"),
            format!("{weight}.zero_point"),
        );
        model.graph_mut().remove_initializer(&weight);
        model.set_initializer_i8(&codes, &shape, &quantized.codes);
        model.set_initializer_f32(&scales, &[channels], &quantized.scales);
        model.set_initializer_i8(&zeros, &[channels], &vec![0; channels]);
        let node = NodeProto::new(
            "DequantizeLinear",
            format!("{weight}.dequantize"),
            [&codes, &scales, &zeros],
            [&weight],
        )
        .attr_int("axis", 0);
        before.entry(index).or_default().push(node);
    }
    for (tensor, params) in params {
        model.set_initializer_f32(&format!("{tensor}.scale"), &[], &[params.scale]);
        model.set_initializer_u8(&format!("{tensor}.zero_point"), &[], &[params.zero_point]);
    }
    let pair = |tensor: &str| {
        let (scale, zero) = (format!("{tensor}.scale"), format!("{tensor}.zero_point"));
        let codes = format!("{tensor}.codes");
        [
            NodeProto::new(
                "QuantizeLinear",
                format!("{tensor}.quantize"),
                [tensor, &scale, &zero],
                [&codes],
            ),
            NodeProto::new(
                "DequantizeLinear",
                format!("{tensor}.dequantize"),
                [&codes, &scale, &zero],
                [dequantized(tensor)],
            ),
        ]
    };
    let graph = model.graph_mut();
    let mut nodes = Vec::with_capacity(graph.node.len() * 3);
    for input in graph.input.iter().map(|i| i.name().to_owned()) {
        if params.contains_key(&input) {
            nodes.extend(pair(&input));
        }
    }
    for (index, mut node) in std::mem::take(&mut graph.node).into_iter().enumerate() {
        nodes.extend(before.remove(&index).unwrap_or_default());
        if region.consumers.contains(&index) {
            for input in node.input.iter_mut().filter(|i| params.contains_key(*i)) {
                *input = dequantized(input);
            }
        }
        let made: Vec<NodeProto> = node
            .output
            .iter()
            .filter(|o| params.contains_key(*o))
            .flat_map(|o| pair(o))
            .collect();
        nodes.push(node);
        nodes.extend(made);
    }
    graph.node = nodes;
    Ok(())
}
