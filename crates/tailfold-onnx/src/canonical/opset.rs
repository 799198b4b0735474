//! Standard operators of a version that has quantization by channel.

use super::{CanonicalError, bodies};
use crate::Model;
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::wires::{Fresh, Wires};

/// Oldest version whose operators are known here; before it, sums were spread over each other by an attribute.
const FIRST: i64 = 7;
/// Newest one.
const LAST: i64 = 28;
/// The first version with a scale for each channel.
const BY_CHANNEL: i64 = 13;
/// Version of the format that came with it.
const IR_VERSION: i64 = 7;

/// Raises the version to 13.
pub(super) fn raise(model: &mut Model) -> Result<(), CanonicalError> {
    let found = model.opset().unwrap_or(0);
    if !(FIRST..=LAST).contains(&found) {
        return Err(CanonicalError::Opset {
            found,
            first: FIRST,
            last: LAST,
        });
    }
    if found >= BY_CHANNEL {
        return Ok(());
    }
    convert(model.graph_mut(), true)?;
    model.raise_ir_version(IR_VERSION);
    model.set_opset(BY_CHANNEL);
    Ok(())
}

/// Converts the nodes of `graph` and of the bodies inside; `whole` when it is the model's.
fn convert(graph: &mut GraphProto, whole: bool) -> Result<(), CanonicalError> {
    for body in graph.node.iter_mut().flat_map(bodies::of_mut) {
        convert(body, false)?;
    }
    rename(graph)?;
    softmax(graph, whole);
    attributes_to_inputs(graph);
    Ok(())
}

/// Operators that left the standard before version 13.
fn rename(graph: &mut GraphProto) -> Result<(), CanonicalError> {
    for node in &mut graph.node {
        let now = match node.op_type() {
            "Scatter" => "ScatterElements",
            "Upsample" => {
                return Err(CanonicalError::Removed {
                    node: node.label().to_owned(),
                    operator: node.op_type().to_owned(),
                });
            }
            _ => continue,
        };
        node.op_type = Some(now.to_owned());
    }
    Ok(())
}

/// Before version 13, a softmax flattens its input from an axis on. Of a matrix that is a softmax of each row, as it is of
/// the scores at the end of a classifier; elsewhere the flattening is written out.
fn softmax(graph: &mut GraphProto, whole: bool) {
    let wires = Wires::of(graph);
    let rank_2 = |name: &str| {
        let shape = graph.find_value(name).and_then(|v| v.shape());
        shape.is_some_and(|s| s.len() == 2)
    };
    let at_the_end = |node: &NodeProto| {
        let mut value = node.output.first().map_or("", String::as_str);
        loop {
            if wires.is_output(value) {
                return whole;
            }
            let Some(next) = wires.only_reader(value).map(|i| &graph.node[i]) else {
                return false;
            };
            let moves = [
                "Identity",
                "Reshape",
                "Flatten",
                "Squeeze",
                "Unsqueeze",
                "Cast",
            ];
            if !moves.iter().any(|op| next.is(op)) {
                return false;
            }
            value = next.output.first().map_or("", String::as_str);
        }
    };
    let mut names = Fresh::of(graph);
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in &graph.node {
        if !(node.is("Softmax") || node.is("LogSoftmax")) || node.input.is_empty() {
            nodes.push(node.clone());
            continue;
        }
        let axis = node.int("axis").unwrap_or(1);
        let plain = axis == -1
            || (axis == 1 && (node.output.iter().any(|o| rank_2(o)) || at_the_end(node)));
        if plain {
            nodes.push(node.clone().attr_int("axis", axis));
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

/// Version 13 has as inputs what these operators had as attributes: the operator, and its attributes in the order of the
/// inputs from the second on. A number is an f32 scalar.
const MOVED: [(&str, &[&str]); 8] = [
    ("Squeeze", &["axes"]),
    ("Unsqueeze", &["axes"]),
    ("ReduceSum", &["axes"]),
    ("Split", &["split"]),
    ("Slice", &["starts", "ends", "axes"]),
    ("Pad", &["pads", "value"]),
    ("Clip", &["min", "max"]),
    ("Dropout", &["ratio"]),
];

fn attributes_to_inputs(graph: &mut GraphProto) {
    let mut names = Fresh::of(graph);
    let mut made = Vec::new();
    for node in &mut graph.node {
        let Some((_, attributes)) = MOVED.iter().find(|(op, _)| node.is(op)) else {
            continue;
        };
        // A form that already has inputs is a newer one.
        if node.input.len() != 1 {
            continue;
        }
        let mut inputs = Vec::new();
        for attribute in *attributes {
            let name = names.name(&format!("{}.{attribute}", node.label()));
            let tensor = match (node.ints(attribute), node.float(attribute)) {
                (Some(values), _) => TensorProto::new(&name, &[values.len()], values),
                (None, Some(value)) => TensorProto::new(&name, &[], &[value]),
                (None, None) => {
                    inputs.push(String::new());
                    continue;
                }
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
    debug_assert!(
        made.iter()
            .all(|t| t.element() != Some(DataType::Undefined))
    );
    graph.initializer.extend(made);
}

#[cfg(test)]
mod tests;
