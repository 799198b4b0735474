//! Builds graphs from nodes of both models. All names of the float model get a prefix, except the name of the image.

use std::collections::BTreeSet;

use tailfold_onnx::proto::NodeProto;

use super::pair::Pair;

/// Prefix of the names of the float model.
pub(super) const REFERENCE: &str = "reference/";

/// Returns the name of the float model's `value` in a graph of both models.
pub(super) fn reference_name(pair: &Pair, value: &str) -> String {
    if value.is_empty() || value == pair.reference.input {
        value.to_owned()
    } else {
        format!("{REFERENCE}{value}")
    }
}

/// Returns `node` of the float model with its names in a graph of both models.
pub(super) fn reference_node(pair: &Pair, node: &NodeProto) -> NodeProto {
    let mut node = node.clone();
    node.name = Some(format!("{REFERENCE}{}", node.label()));
    for value in node.input.iter_mut().chain(&mut node.output) {
        *value = reference_name(pair, value);
    }
    node
}

/// Returns the ONNX file of a graph with `nodes`, in their order, and with the constants of both models that they read.
/// It has the input and output of the INT8 model.
pub(super) fn assemble(pair: &Pair, nodes: Vec<NodeProto>) -> Vec<u8> {
    let mut model = pair.shell.clone();
    let graph = model.graph_mut();
    let read: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|n| n.input.iter().map(String::as_str))
        .collect();
    let own = pair.candidate.model.graph().initializer.iter();
    graph
        .initializer
        .extend(own.filter(|t| read.contains(t.name())).cloned());
    for tensor in &pair.reference.model.graph().initializer {
        let name = reference_name(pair, tensor.name());
        if read.contains(name.as_str()) {
            let mut tensor = tensor.clone();
            tensor.name = Some(name);
            graph.initializer.push(tensor);
        }
    }
    graph.node = nodes;
    model.to_bytes()
}
