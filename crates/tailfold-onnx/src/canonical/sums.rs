//! Rewrites Sum of two values as Add, and repeated Relu as one Relu.

use std::collections::{BTreeSet, HashSet};

use crate::Model;
use crate::proto::NodeProto;
use crate::wires::Wires;

/// Rewrites each Sum of two values as Add, and each Relu of a Relu as one Relu.
pub(super) fn to_additions(model: &mut Model) {
    if !model.nodes().iter().any(|n| n.is("Sum")) && !has_repeated_relu(model.nodes()) {
        return;
    }
    let wires = Wires::of(model.graph());
    let graph = model.graph_mut();
    let rectified: Vec<bool> = graph.node.iter().map(|n| n.is("Relu")).collect();
    for node in &mut graph.node {
        let given = node.input.iter().all(|i| !i.is_empty());
        if node.is("Sum") && node.input.len() == 2 && given {
            node.op_type = Some("Add".to_owned());
        }
    }
    // Every Relu of a chain reads the input of the first one.
    for index in 0..graph.node.len() {
        let Some(before) = graph.node[index].input.first().and_then(|i| wires.maker(i)) else {
            continue;
        };
        let source = graph.node[before].input.first().cloned();
        if let (true, Some(source)) = (
            rectified[index] && rectified[before] && before < index,
            source,
        ) {
            graph.node[index].input[0] = source;
        }
    }
    // A Relu whose output is no longer read is removed.
    let mut alive: Vec<NodeProto> = Vec::with_capacity(graph.node.len());
    let mut read: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    while let Some(node) = graph.node.pop() {
        if node.output.iter().any(|o| read.contains(o)) || !node.is("Relu") {
            read.extend(super::reads(&node).into_iter().map(str::to_owned));
            alive.push(node);
        }
    }
    alive.reverse();
    graph.node = alive;
}

/// Whether a Relu reads the output of a Relu.
fn has_repeated_relu(nodes: &[NodeProto]) -> bool {
    let relus = || nodes.iter().filter(|n| n.is("Relu"));
    let made: HashSet<&str> = relus()
        .flat_map(|n| &n.output)
        .map(String::as_str)
        .collect();
    relus()
        .flat_map(|n| &n.input)
        .any(|i| made.contains(i.as_str()))
}
