//! Converts the standard operators to opset 13, the first version with per-channel quantization.

use std::collections::BTreeSet;

use half::f16;

use super::bodies;
use crate::eval::from_front;
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::wires::Fresh;
use crate::{Model, OnnxError, OnnxErrorKind, Shapes};

/// Oldest supported opset version; before it, an attribute controls how Add and Mul broadcast.
const FIRST: i64 = 7;
/// Newest supported opset version.
const LAST: i64 = 28;
/// First opset version with per-channel scales in QuantizeLinear and DequantizeLinear.
const BY_CHANNEL: i64 = 13;
/// IR version that was released with opset 13.
const IR_VERSION: i64 = 7;

/// Raises the opset version to 13, if it is lower. `infer` is called for a Softmax of a value without a declared shape.
///
/// # Errors
/// [`OnnxErrorKind::Unsupported`] outside the supported versions, and for Upsample.
pub(super) fn raise(model: &mut Model, infer: &dyn Fn(&Model) -> Shapes) -> Result<(), OnnxError> {
    let found = model.opset().unwrap_or(0);
    if !(FIRST..=LAST).contains(&found) {
        return Err(OnnxErrorKind::Unsupported.error(format!(
            "the model uses version {found} of the standard operators, expected {first} to {last}",
            first = FIRST,
            last = LAST
        )));
    }
    if found >= BY_CHANNEL {
        return Ok(());
    }
    let graph = model.graph();
    let unknown = |node: &NodeProto| {
        flattens(node) && node.int("axis") != Some(-1) && declared(graph, node).is_none()
    };
    let shapes = if graph.node.iter().any(unknown) {
        infer(model)
    } else {
        Shapes::new()
    };
    convert(model.graph_mut(), &shapes)?;
    model.raise_ir_version(IR_VERSION);
    model.set_opset(BY_CHANNEL);
    Ok(())
}

/// Converts the nodes of `graph` and of its subgraphs; `shapes` has shapes of values of `graph` for one image.
fn convert(graph: &mut GraphProto, shapes: &Shapes) -> Result<(), OnnxError> {
    for body in graph.node.iter_mut().flat_map(bodies::of_mut) {
        convert(body, &Shapes::new())?;
    }
    rename(graph)?;
    softmax(graph, shapes);
    attributes_to_inputs(graph);
    Ok(())
}

/// Renames operators that opset 13 has under another name, and writes out the defaults of Resize that changed; an
/// operator that opset 13 does not have at all is an error.
fn rename(graph: &mut GraphProto) -> Result<(), OnnxError> {
    let standard = |node: &&mut NodeProto| matches!(node.domain(), "" | "ai.onnx");
    for node in graph.node.iter_mut().filter(standard) {
        let now = match node.op_type() {
            "Scatter" => "ScatterElements",
            // Opset 10 has no region of interest, and maps a pixel to `x / scale`, rounded down.
            "Resize" if node.input.len() == 2 => {
                node.input.insert(1, String::new());
                *node = std::mem::take(node)
                    .attr_str("coordinate_transformation_mode", "asymmetric")
                    .attr_str("nearest_mode", "floor");
                continue;
            }
            "Upsample" => {
                return Err(OnnxErrorKind::Unsupported
                    .error(format!(
                        "{operator} was removed from the standard operators; export the model with \
                         opset version 13 or later",
                        operator = node.op_type()
                    ))
                    .at(format_args!("node `{}`", node.label())));
            }
            _ => continue,
        };
        node.op_type = Some(now.to_owned());
    }
    Ok(())
}

/// Whether `node` flattens its input to a matrix before opset 13, and runs along one axis from 13 on.
fn flattens(node: &NodeProto) -> bool {
    let op = ["Softmax", "LogSoftmax", "Hardmax"]
        .iter()
        .any(|op| node.is(op));
    op && !node.input.is_empty()
}

/// Shape of the output or the first input of `node`, which are the same, as far as the file declares it.
fn declared(graph: &GraphProto, node: &NodeProto) -> Option<Vec<Option<usize>>> {
    let mut names = node.output.iter().take(1).chain(node.input.first());
    names.find_map(|name| graph.find_value(name)?.shape())
}

/// The only axis from `axis` on whose length is not 1: a matrix that is flattened at `axis` has the same rows along it.
fn single_axis(shape: &[Option<usize>], axis: i64) -> Option<i64> {
    let first = from_front(axis, shape.len()).ok()?;
    let mut longer = (first..shape.len()).filter(|&i| shape[i] != Some(1));
    let found = longer.next().unwrap_or(first);
    i64::try_from(found)
        .ok()
        .filter(|_| longer.next().is_none())
}

/// Converts Softmax, LogSoftmax and Hardmax. Before opset 13, they flatten the input to a matrix at `axis`; from 13 on,
/// they run along one axis alone. Where the shape does not show that both give the same result, the pass adds a Flatten
/// before the node and a Reshape after it.
fn softmax(graph: &mut GraphProto, shapes: &Shapes) {
    let mut names = Fresh::of(graph);
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in &graph.node {
        if !flattens(node) {
            nodes.push(node.clone());
            continue;
        }
        let inferred = || {
            let shape = shapes.get(&node.input[0])?.iter().map(|&d| Some(d));
            // The shape is the shape for one image; the batch may be larger.
            Some(std::iter::once(None).chain(shape.skip(1)).collect())
        };
        let axis = node.int("axis").unwrap_or(1);
        let single = match axis {
            -1 => Some(-1),
            _ => declared(graph, node)
                .or_else(inferred)
                .and_then(|s| single_axis(&s, axis)),
        };
        if let Some(single) = single {
            nodes.push(node.clone().attr_int("axis", single));
            continue;
        }
        let label = node.label();
        let [shape, rows, soft] =
            ["shape", "rows", "soft"].map(|s| names.name(&format!("{label}.{s}")));
        let input = &node.input[0];
        nodes.push(NodeProto::new(
            "Shape",
            names.name(&shape),
            [input],
            [&shape],
        ));
        nodes.push(
            NodeProto::new("Flatten", names.name(&rows), [input], [&rows]).attr_int("axis", axis),
        );
        nodes.push(NodeProto {
            input: vec![rows],
            output: vec![soft.clone()],
            ..node.clone().attr_int("axis", -1)
        });
        nodes.push(NodeProto::new(
            "Reshape",
            names.name(&format!("{label}.back")),
            [&soft, &shape],
            &node.output,
        ));
    }
    graph.node = nodes;
}

/// Operators whose attributes are inputs in opset 13, with the attributes in the order of the inputs after the first. A
/// float attribute becomes a scalar, an integer a list of one.
const MOVED: [(&str, &[&str]); 9] = [
    ("Squeeze", &["axes"]),
    ("Unsqueeze", &["axes"]),
    ("ReduceSum", &["axes"]),
    ("Split", &["split"]),
    ("Slice", &["starts", "ends", "axes"]),
    ("Pad", &["pads", "value"]),
    ("Clip", &["min", "max"]),
    ("Dropout", &["ratio"]),
    ("TopK", &["k"]),
];

fn attributes_to_inputs(graph: &mut GraphProto) {
    let mut names = Fresh::of(graph);
    let mut made = Vec::new();
    let values = graph
        .input
        .iter()
        .chain(&graph.output)
        .chain(&graph.value_info);
    let halves = values.filter(|v| v.element() == Some(DataType::Float16));
    let halves: BTreeSet<String> = halves.map(|v| v.name().to_owned()).collect();
    for node in &mut graph.node {
        let Some((_, attributes)) = MOVED.iter().find(|(op, _)| node.is(op)) else {
            continue;
        };
        // A node with more inputs already has the newer form.
        if node.input.len() != 1 {
            continue;
        }
        let half = node
            .input
            .iter()
            .chain(&node.output)
            .any(|v| halves.contains(v));
        let mut inputs = Vec::new();
        for attribute in *attributes {
            let name = names.name(&format!("{}.{attribute}", node.label()));
            let tensor = if let Some(values) = node.ints(attribute) {
                TensorProto::new(&name, &[values.len()], values)
            } else if let Some(value) = node.int(attribute) {
                TensorProto::new(&name, &[1], &[value])
            } else if let Some(value) = node.float(attribute) {
                if half {
                    TensorProto::new(&name, &[], &[f16::from_f32(value)])
                } else {
                    TensorProto::new(&name, &[], &[value])
                }
            } else {
                inputs.push(String::new());
                continue;
            };
            made.push(tensor);
            inputs.push(name);
        }
        while inputs.last().is_some_and(String::is_empty) {
            inputs.pop();
        }
        node.input.extend(inputs);
        node.attribute.retain(|a| !attributes.contains(&a.name()));
    }
    graph.initializer.extend(made);
}

#[cfg(test)]
mod tests;
