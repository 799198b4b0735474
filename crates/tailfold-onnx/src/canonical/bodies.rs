//! Subgraphs of nodes such as If and Loop. Their nodes can also read values of the enclosing graph.

use crate::proto::{GraphProto, NodeProto};

/// The subgraphs of `node`.
pub(super) fn of(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    let attributes = node.attribute.iter();
    attributes.flat_map(|a| a.g.iter().chain(&a.graphs))
}

/// The subgraphs of `node`, mutable.
pub(super) fn of_mut(node: &mut NodeProto) -> impl Iterator<Item = &mut GraphProto> {
    let attributes = node.attribute.iter_mut();
    attributes.flat_map(|a| a.g.iter_mut().chain(&mut a.graphs))
}

/// Renames every value that `node` and its subgraphs read or produce.
pub(super) fn rename(node: &mut NodeProto, name: &dyn Fn(&str) -> String) {
    for value in node.input.iter_mut().chain(&mut node.output) {
        *value = name(value);
    }
    for body in of_mut(node) {
        for inner in &mut body.node {
            rename(inner, name);
        }
        for tensor in &mut body.initializer {
            tensor.name = Some(name(tensor.name()));
        }
        let ports = body.input.iter_mut().chain(&mut body.output);
        for port in ports.chain(&mut body.value_info) {
            port.name = Some(name(port.name()));
        }
    }
}
