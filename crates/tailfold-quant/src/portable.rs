//! What other runtimes ask of a file: paddings as numbers, and versions that they know.

use tailfold_integer::window;
use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::target::Target;

/// Newest version of the format that is written: that of opset 21.
const IR_VERSION: i64 = 10;
/// Newest version of the standard operators that is written.
const OPSET: i64 = 21;
/// Operators that are newer (ONNX 1.18 and 1.19). The others of opset 22 to 24 differ from opset 21 in the element types that they
/// take, which a model in f32 does not use.
const NEWER: [&str; 5] = [
    "Attention",
    "RMSNormalization",
    "RotaryEmbedding",
    "Swish",
    "TensorScatter",
];

/// Writes the paddings of convolutions and pools that have them by `auto_pad` as numbers: ONNX Runtime refuses `SAME_UPPER` with
/// dilations, and TensorRT reads it only in part. `name` stands for the file in messages.
///
/// A node over an input of unknown size, or not over images, stays as it is.
///
/// # Errors
/// [`QuantError::Integer`] naming the node, or [`QuantError::Tract`] when the sizes cannot be found.
pub(crate) fn explicit_pads(model: &mut Model, name: &str) -> Result<(), QuantError> {
    let nodes = model.nodes().iter().enumerate();
    let automatic: Vec<(usize, String)> = nodes
        .filter(|(_, node)| is_automatic(node))
        .filter_map(|(index, node)| Some((index, node.input.first()?.clone())))
        .collect();
    if automatic.is_empty() {
        return Ok(());
    }
    let inputs: Vec<String> = automatic.iter().map(|(_, input)| input.clone()).collect();
    let observer = TensorObserver::from_onnx(&model.to_bytes(), name, &inputs)?;
    for ((index, _), shape) in automatic.iter().zip(observer.shapes()) {
        let node = &model.nodes()[*index];
        let kernel = kernel(model, node);
        let (Some(kernel), Some([_, _, height, width])) = (kernel, shape.as_deref()) else {
            continue;
        };
        let Some(window) = window(node, kernel, [*height, *width])? else {
            continue;
        };
        let pads = window.pads;
        let pads = [pads.top, pads.left, pads.bottom, pads.right];
        let pads = pads.map(|p| i64::try_from(p).unwrap_or(i64::MAX));
        let node = &mut model.graph_mut().node[*index];
        // With these paddings the last window ends at the image's end, and no part of one is left over to be rounded up.
        node.attribute
            .retain(|a| !["auto_pad", "ceil_mode"].contains(&a.name()));
        *node = std::mem::take(node).attr_ints("pads", &pads);
    }
    Ok(())
}

fn is_automatic(node: &NodeProto) -> bool {
    let padded = ["Conv", "MaxPool", "AveragePool", "LpPool"];
    let auto = node.find_attr("auto_pad").map(|a| a.s().to_vec());
    padded.iter().any(|op| node.is(op))
        && auto.is_some_and(|auto| !auto.is_empty() && auto != b"NOTSET")
}

/// `[height, width]` of the window of `node`.
fn kernel(model: &Model, node: &NodeProto) -> Option<[usize; 2]> {
    if let Some(kernel) = node.ints("kernel_shape") {
        let lengths: Option<Vec<usize>> = kernel.iter().map(|&k| usize::try_from(k).ok()).collect();
        return lengths?.try_into().ok();
    }
    let weight = model.graph().find_initializer(node.input.get(1)?)?;
    match weight.shape().ok()?[..] {
        [_, _, height, width] => Some([height, width]),
        _ => None,
    }
}

/// Lowers the versions of the format and of the standard operators to those that the runtimes of `target` know; a graph with an
/// operator that is newer keeps its own.
///
/// # Errors
/// [`QuantError::Onnx`], which a model that was read does not cause.
pub(crate) fn limit_versions(model: &mut Model, target: Target) -> Result<(), QuantError> {
    let newer = |node: &NodeProto| NEWER.iter().any(|op| node.is(op));
    let opset = model.opset().unwrap_or(0);
    if target == Target::Tract || model.nodes().iter().any(newer) {
        return Ok(());
    }
    let mut proto = model.proto().clone();
    if proto.ir_version.unwrap_or(0) <= IR_VERSION && opset <= OPSET {
        return Ok(());
    }
    proto.ir_version = proto.ir_version.map(|found| found.min(IR_VERSION));
    for set in &mut proto.opset_import {
        if matches!(set.domain(), "" | "ai.onnx") {
            set.version = Some(opset.min(OPSET));
        }
    }
    *model = Model::from_proto(proto, "")?;
    Ok(())
}

#[cfg(test)]
mod tests;
