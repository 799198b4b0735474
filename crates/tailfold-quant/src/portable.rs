//! Changes for other runtimes: explicit paddings, and supported versions of the ONNX format.

use tailfold_integer::window;
use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::target::Target;

/// Newest IR version that is written: the version of opset 21.
const IR_VERSION: i64 = 10;
/// Newest opset that is written.
const OPSET: i64 = 21;
/// Operators that opset 21 lacks (ONNX 1.18 and 1.19). All others of opset 22 to 24 differ from opset 21 only in
/// additional element types, which a model in f32 does not use.
const NEWER: [&str; 5] = [
    "Attention",
    "RMSNormalization",
    "RotaryEmbedding",
    "Swish",
    "TensorScatter",
];

/// Replaces `auto_pad` of convolutions and pools by explicit `pads`: ONNX Runtime refuses `SAME_UPPER` with dilations,
/// and TensorRT supports it only in part. `name` stands for the file in messages.
///
/// A node whose input has an unknown size or is not an image is left unchanged, and so is a pool with `VALID`
/// and `ceil_mode`: tract has no window beyond the image, as in ONNX's formula, but ONNX Runtime adds one.
///
/// # Errors
/// [`QuantError`] naming the node, or when the sizes cannot be inferred.
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
        // With these paddings, the output size without `ceil_mode` is the size that `auto_pad` specifies.
        node.attribute
            .retain(|a| !["auto_pad", "ceil_mode"].contains(&a.name()));
        *node = std::mem::take(node).attr_ints("pads", &pads);
    }
    Ok(())
}

fn is_automatic(node: &NodeProto) -> bool {
    let padded = ["Conv", "MaxPool", "AveragePool", "LpPool"];
    let auto = node.find_attr("auto_pad").map_or(&[][..], |a| a.s());
    let ambiguous = auto == b"VALID" && node.int("ceil_mode").unwrap_or(0) != 0;
    padded.iter().any(|op| node.is(op)) && !ambiguous && !matches!(auto, b"" | b"NOTSET")
}

/// Returns the window of `node`, `[height, width]`; `None` when it is not two-dimensional or not constant.
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

/// Lowers the IR version and the opset to versions that the runtimes of `target` support; a graph with a newer operator
/// keeps its versions.
///
/// # Errors
/// [`QuantError`], which does not occur for a valid model.
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
