//! Writes int8 weights, each with a DequantizeLinear.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use super::Constants;
use crate::error::QuantError;
use crate::names::Names;
use crate::plan::Plan;
use crate::weights::WeightParams;

/// Replaces the weight of each weighted node by its int8 values in `plan`, with one scale per output channel.
///
/// The dequantized weight keeps the name of the float weight, so all its other consumers read the same
/// values. A second layer with the same weight gets its own constants: ONNX Runtime transforms the int8
/// weights of each DequantizeLinear separately, and fails on weights that it has already transformed.
pub(super) fn quantize(
    model: &mut Model,
    plan: &Plan,
    names: &mut Names,
) -> Result<Constants, QuantError> {
    let mut constants = Constants::default();
    let mut shapes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &index in &plan.region.weighted {
        let node = &model.nodes()[index];
        let (weight, label) = (node.input[1].clone(), node.label().to_owned());
        let Some(quantized) = plan.weights.get(&weight) else {
            continue;
        };
        constants.scales.insert(index, quantized.scales.clone());
        if let Some(shape) = shapes.get(&weight) {
            let own = names.fresh(&format!("{weight}.{label}"));
            let node = write(model, names, &own, shape, quantized);
            model.graph_mut().node[index].input[1] = own;
            constants.before.entry(index).or_default().push(node);
            continue;
        }
        let (shape, _) = model.initializer_f32(&weight)?;
        // A node without an integer kernel may read the weight before the first weighted node does.
        let first = model
            .nodes()
            .iter()
            .position(|n| n.input.contains(&weight))
            .unwrap_or(index);
        model.graph_mut().remove_initializer(&weight);
        let node = write(model, names, &weight, &shape, quantized);
        constants.before.entry(first).or_default().push(node);
        shapes.insert(weight, shape);
    }
    Ok(constants)
}

/// Writes the int8 values, scales and zero points of a weight of `shape`, and returns the node that
/// dequantizes them to `value`.
fn write(
    model: &mut Model,
    names: &mut Names,
    value: &str,
    shape: &[usize],
    quantized: &WeightParams,
) -> NodeProto {
    let channels = quantized.scales.len();
    let [codes, scales, zeros] =
        ["codes", "scale", "zero_point"].map(|part| names.fresh(&format!("{value}.{part}")));
    model.set_initializer_i8(&codes, shape, &quantized.codes);
    model.set_initializer_f32(&scales, &[channels], &quantized.scales);
    model.set_initializer_i8(&zeros, &[channels], &vec![0; channels]);
    NodeProto::new(
        "DequantizeLinear",
        names.fresh_node(&format!("{value}.dequantize")),
        [&codes, &scales, &zeros],
        [value],
    )
    .attr_int("axis", 0)
}
