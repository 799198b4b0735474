//! Biases as int32 constants of scale `s_x * s_w`, zero point 0.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use super::Constants;
use crate::affine::to_f32;
use crate::error::QuantError;
use crate::names::Names;
use crate::plan::Plan;

/// Largest quantized bias for which a scale is chosen; the other half of the int32 range is for the
/// accumulated sum.
const LARGEST: f64 = (1_u32 << 30) as f64;

/// Index of a node with a bias, the bias, and the scale of the node's input.
struct Biased {
    index: usize,
    name: String,
    input_scale: f32,
}

fn biased(model: &Model, plan: &Plan) -> Vec<Biased> {
    let nodes = plan.region.weighted.iter().filter_map(|&index| {
        let node = &model.nodes()[index];
        let name = node.input.get(2).filter(|bias| !bias.is_empty())?;
        model.graph().find_initializer(name)?;
        Some(Biased {
            index,
            name: name.clone(),
            input_scale: plan.params.get(&node.input[0])?.scale,
        })
    });
    nodes.collect()
}

/// Returns, for each weight, the smallest scale per channel with which the bias of that channel fits into
/// int32.
///
/// Without this limit, a channel whose weights are nearly or entirely zero would get a scale with which its
/// bias overflows, or an arbitrary scale.
pub(crate) fn scale_floors(
    model: &Model,
    plan: &Plan,
) -> Result<BTreeMap<String, Vec<f32>>, QuantError> {
    let mut floors: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for Biased {
        index,
        name,
        input_scale,
    } in biased(model, plan)
    {
        let (_, bias) = model.initializer_f32(&name)?;
        let weight = model.nodes()[index].input[1].clone();
        let (shape, _) = model.initializer_f32(&weight)?;
        // Gemm allows one bias for all classes; such a bias stays in float.
        if shape.first() != Some(&bias.len()) {
            continue;
        }
        let floors = floors
            .entry(weight)
            .or_insert_with(|| vec![0.0; bias.len()]);
        for (floor, bias) in floors.iter_mut().zip(bias) {
            let needed = f64::from(bias.abs()) / (f64::from(input_scale) * LARGEST);
            *floor = floor.max(to_f32(needed));
        }
    }
    Ok(floors)
}

/// Replaces the bias of each weighted node by an int32 constant and a DequantizeLinear, whose scales are
/// `s_x * s_w`.
pub(super) fn quantize(
    model: &mut Model,
    plan: &Plan,
    names: &mut Names,
    constants: &mut Constants,
) -> Result<(), QuantError> {
    for Biased {
        index,
        name,
        input_scale,
    } in biased(model, plan)
    {
        let (shape, bias) = model.initializer_f32(&name)?;
        let Some(weight_scales) = constants.scales.get(&index) else {
            continue;
        };
        // Gemm allows one bias for all classes, which has no scale per channel.
        if shape.last() != Some(&weight_scales.len()) || bias.len() != weight_scales.len() {
            continue;
        }
        let scales: Vec<f32> = weight_scales.iter().map(|s| s * input_scale).collect();
        let codes: Vec<i32> = bias
            .iter()
            .zip(&scales)
            .map(|(b, s)| code(*b, *s))
            .collect();
        let label = model.nodes()[index].label().to_owned();
        let readers = model.graph().consumers(&name).count();
        let stem = match readers {
            1 => name.clone(),
            // Another node reads the same bias with another input, and so needs other scales.
            _ => format!("{name}.{label}"),
        };
        let [codes_name, scale, zero, value] = ["codes", "scale", "zero_point", "dequantized"]
            .map(|part| names.fresh(&format!("{stem}.{part}")));
        model.set_initializer_i32(&codes_name, &shape, &codes);
        model.set_initializer_f32(&scale, &[scales.len()], &scales);
        model.set_initializer_i32(&zero, &[scales.len()], &vec![0; scales.len()]);
        let node = NodeProto::new(
            "DequantizeLinear",
            names.fresh_node(&format!("{stem}.dequantize")),
            [&codes_name, &scale, &zero],
            [&value],
        )
        .attr_int("axis", shape.len() as i64 - 1);
        constants.before.entry(index).or_default().push(node);
        model.graph_mut().node[index].input[2] = value;
        if model.graph().consumers(&name).next().is_none() {
            model.graph_mut().remove_initializer(&name);
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and the scale keeps it far from that"
)]
fn code(bias: f32, scale: f32) -> i32 {
    (f64::from(bias) / f64::from(scale)).round_ties_even() as i32
}
