//! Nodes that hand their input on.

use crate::Model;
use crate::proto::{GraphProto, NodeProto};

/// Removes Identity, and Dropout as inference has it: whoever reads the output reads the input.
pub(super) fn remove(model: &mut Model) {
    let graph = model.graph_mut();
    let mut index = 0;
    while index < graph.node.len() {
        if hands_on(&graph.node[index]) && bridged(graph, index) {
            graph.node.remove(index);
        } else {
            index += 1;
        }
    }
}

fn hands_on(node: &NodeProto) -> bool {
    // The third input of Dropout may ask for training, the second output is the mask.
    let dropout = node.is("Dropout")
        && node.input.get(2).is_none_or(String::is_empty)
        && node.output.get(1).is_none_or(String::is_empty);
    (node.is("Identity") || dropout) && !node.input.is_empty() && !node.output.is_empty()
}

/// Connects what is before the node at `index` with what is after it; false when the graph's ports do not allow that.
fn bridged(graph: &mut GraphProto, index: usize) -> bool {
    let (input, output) = (
        graph.node[index].input[0].clone(),
        graph.node[index].output[0].clone(),
    );
    let (from, to) = if graph.output.iter().all(|o| o.name() != output) {
        (output, input)
    } else if graph.producer(&input).is_some() && graph.output.iter().all(|o| o.name() != input) {
        // The graph's output keeps its name: what makes the input makes it.
        (input, output)
    } else {
        return false;
    };
    for (_, node) in graph
        .node
        .iter_mut()
        .enumerate()
        .filter(|(i, _)| *i != index)
    {
        let names = node.input.iter_mut().chain(&mut node.output);
        names
            .filter(|name| **name == from)
            .for_each(|name| to.clone_into(name));
    }
    true
}
