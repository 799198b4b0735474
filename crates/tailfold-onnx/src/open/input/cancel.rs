//! Removal of nodes near the input that undo each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::Model;
use crate::proto::{DataType, NodeProto};
use crate::wires::Wires;

/// Removes pairs of nodes that undo each other: a Transpose and its inverse, and the Cast of whole bytes to the uint8
/// value `bytes` and back to f32.
pub(super) fn cancel(model: &mut Model, bytes: Option<&str>) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    // Outputs of the removed nodes, and the values that they equal.
    let mut same: BTreeMap<String, String> = BTreeMap::new();
    for node in &graph.node {
        let ([input], [output]) = (&node.input[..], &node.output[..]) else {
            continue;
        };
        let input = same.get(input).unwrap_or(input);
        let maker = |value: &str| wires.maker(value).map(|at| &graph.node[at]);
        let Some(before) = maker(input).filter(|_| !wires.is_output(output)) else {
            continue;
        };
        let mut source = before.input.first();
        if bytes == Some(input.as_str()) {
            // The images hold whole bytes, so the Round and the Cast to uint8 change nothing either.
            source = source.and_then(|whole| maker(whole)?.input.first());
        }
        if let Some(source) = source.filter(|_| undoes(before, node, bytes)) {
            let source = same.get(source).unwrap_or(source).clone();
            same.insert(output.clone(), source);
        }
    }
    // Remove the pairs, and then the nodes whose results are no longer read.
    let mut read: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    let mut nodes = Vec::with_capacity(graph.node.len());
    for mut node in std::mem::take(&mut graph.node).into_iter().rev() {
        let fronts = ["Transpose", "Cast", "Round"].iter().any(|op| node.is(op));
        if fronts && !node.output.iter().any(|o| read.contains(o)) {
            continue;
        }
        for input in &mut node.input {
            if let Some(source) = same.get(input) {
                source.clone_into(input);
            }
            read.insert(input.clone());
        }
        nodes.push(node);
    }
    nodes.reverse();
    graph.node = nodes;
}

/// Whether `after`, with one input and one output, restores the input of `before`.
fn undoes(before: &NodeProto, after: &NodeProto, bytes: Option<&str>) -> bool {
    if before.is("Transpose") && after.is("Transpose") {
        let pair = [before.ints("perm"), after.ints("perm")];
        return matches!(
            pair,
            [Some(a), Some(b)]
                if a.len() == b.len()
                    && b.iter().enumerate().all(|(i, &p)| {
                        usize::try_from(p).ok().and_then(|p| a.get(p)) == i64::try_from(i).ok().as_ref()
                    })
        );
    }
    // A Cast of the file itself truncates, so only the Cast that `adapt` inserted counts.
    bytes.is_some_and(|bytes| before.output.iter().any(|o| o == bytes))
        && after.is("Cast")
        && after.int("to") == Some(i64::from(i32::from(DataType::Float)))
}
