//! Weights as int8 constants with a DequantizeLinear each.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use super::Constants;
use crate::error::QuantError;
use crate::names::Names;
use crate::target::Plan;

/// Replaces the weight of each weighted node by its codes in `plan`, one scale an output channel.
///
/// The dequantized weight keeps the name of the float one, so whatever else reads it reads the same values.
pub(super) fn quantize(
    model: &mut Model,
    plan: &Plan,
    names: &mut Names,
) -> Result<Constants, QuantError> {
    let mut constants = Constants::default();
    let mut done: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for &index in &plan.region.weighted {
        let weight = model.nodes()[index].input[1].clone();
        if let Some(scales) = done.get(&weight) {
            constants.scales.insert(index, scales.clone());
            continue;
        }
        let Some(quantized) = plan.weights.get(&weight) else {
            continue;
        };
        let (shape, _) = model.initializer_f32(&weight)?;
        let channels = quantized.scales.len();
        let [codes, scales, zeros] =
            ["codes", "scale", "zero_point"].map(|part| names.fresh(&format!("{weight}.{part}")));
        // A node may read the weight before the first weighted one does.
        let first = model
            .nodes()
            .iter()
            .position(|n| n.input.contains(&weight))
            .unwrap_or(index);
        model.graph_mut().remove_initializer(&weight);
        model.set_initializer_i8(&codes, &shape, &quantized.codes);
        model.set_initializer_f32(&scales, &[channels], &quantized.scales);
        model.set_initializer_i8(&zeros, &[channels], &vec![0; channels]);
        let node = NodeProto::new(
            "DequantizeLinear",
            names.fresh_node(&format!("{weight}.dequantize")),
            [&codes, &scales, &zeros],
            [&weight],
        )
        .attr_int("axis", 0);
        constants.before.entry(first).or_default().push(node);
        constants.scales.insert(index, quantized.scales.clone());
        done.insert(weight, quantized.scales.clone());
    }
    Ok(constants)
}
