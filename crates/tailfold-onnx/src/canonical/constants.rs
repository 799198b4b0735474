//! Turns Constant nodes into initializers, and removes initializers from the inputs.

use std::collections::BTreeSet;

use crate::proto::{NodeProto, TensorProto};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Turns every Constant into an initializer, and removes initializers from the inputs of the graph, where IR versions
/// before 4 list them.
pub(super) fn to_initializers(model: &mut Model) -> Result<(), OnnxError> {
    let graph = model.graph_mut();
    let mut nodes = Vec::with_capacity(graph.node.len());
    let names: BTreeSet<String> = graph
        .initializer
        .iter()
        .map(|t| t.name().to_owned())
        .collect();
    for mut node in std::mem::take(&mut graph.node) {
        if !node.is("Constant") {
            // An empty name at the end means the same as a missing one: the optional input is omitted.
            while node.input.last().is_some_and(String::is_empty) {
                node.input.pop();
            }
            nodes.push(node);
            continue;
        }
        let name = node.output.first().cloned().unwrap_or_default();
        let tensor = value(&node).ok_or_else(|| {
            OnnxErrorKind::Structure.error(format!("the constant `{name}` is not a numeric tensor"))
        })?;
        graph.initializer.push(TensorProto {
            name: Some(name),
            ..tensor
        });
    }
    graph.node = nodes;
    let inputs = std::mem::take(&mut graph.input);
    let (constant, inputs): (Vec<_>, Vec<_>) =
        inputs.into_iter().partition(|i| names.contains(i.name()));
    graph.input = inputs;
    if !constant.is_empty() {
        model.raise_ir_version(4);
    }
    Ok(())
}

/// The value of a Constant node, without a name; `None` if it is not a numeric tensor.
fn value(node: &NodeProto) -> Option<TensorProto> {
    let [attribute] = &node.attribute[..] else {
        return None;
    };
    match attribute.name() {
        "value" => attribute.t.clone(),
        "value_float" => Some(TensorProto::new("", &[], &[attribute.f?])),
        "value_int" => Some(TensorProto::new("", &[], &[attribute.i?])),
        "value_floats" => {
            let values = &attribute.floats;
            Some(TensorProto::new("", &[values.len()], values))
        }
        "value_ints" => {
            let values = &attribute.ints;
            Some(TensorProto::new("", &[values.len()], values))
        }
        _ => None,
    }
}
