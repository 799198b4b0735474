//! Graphs made of nodes of both models: the float model's names get a prefix, but for the image.

use std::collections::BTreeSet;

use tailfold_onnx::proto::NodeProto;

use super::pair::Pair;

/// Before the names of the float model.
pub(super) const REFERENCE: &str = "reference/";

/// The float model's `value` in a graph of both.
pub(super) fn reference_name(pair: &Pair, value: &str) -> String {
    if value.is_empty() || value == pair.reference.input {
        value.to_owned()
    } else {
        format!("{REFERENCE}{value}")
    }
}

/// `node` of the float model in a graph of both.
pub(super) fn reference_node(pair: &Pair, node: &NodeProto) -> NodeProto {
    let mut node = node.clone();
    node.name = Some(format!("{REFERENCE}{}", node.label()));
    for value in node.input.iter_mut().chain(&mut node.output) {
        *value = reference_name(pair, value);
    }
    node
}

/// The file of a graph with `nodes`, in their order, and what they read of both models' constants. Its ports are the INT8
/// model's.
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
