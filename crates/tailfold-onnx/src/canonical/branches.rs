//! Inlines each If with a constant condition: the nodes of the taken branch replace the If.

use std::collections::BTreeSet;

use super::budget::Budget;
use super::{bodies, constants, fold};
use crate::eval::Value;
use crate::limits::MOST_NODES;
use crate::proto::{GraphProto, NodeProto, TensorProto, ValueInfoProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, OnnxError, OnnxErrorKind, Shapes};

/// Replaces each If by the nodes of its taken branch. The condition has to be a constant, or to follow from the shapes
/// that `infer` returns.
///
/// # Errors
/// [`OnnxErrorKind::Unsupported`] for any other If or loop, since its result can depend on the image,
/// [`OnnxErrorKind::Limit`] when `budget` is used up.
pub(super) fn inline(
    model: &mut Model,
    infer: &dyn Fn(&Model) -> Shapes,
    budget: &mut Budget,
) -> Result<(), OnnxError> {
    while let Some(index) = model.nodes().iter().position(has_body) {
        let found = count(model.graph());
        if found > MOST_NODES {
            let most = MOST_NODES;
            return Err(OnnxErrorKind::Limit.error(format!(
                "the graph has {found} nodes, expected at most {most}"
            )));
        }
        let node = &model.nodes()[index];
        let (label, operator) = (node.label().to_owned(), node.op_type().to_owned());
        let used_up = || {
            OnnxErrorKind::Limit
                .error(format!(
                    "{operator} and the branches before it need more time than the loader spends"
                ))
                .at(format_args!("node `{label}`"))
        };
        budget.pass(model.nodes().len()).ok_or_else(used_up)?;
        if condition(model.graph(), node).is_none() && node.is("If") {
            budget.inference(index).ok_or_else(used_up)?;
            decide(model, index, infer, budget)?;
        }
        inline_constant(model)?;
        constants::to_initializers(model)?;
        fold::constants(model, budget)?;
    }
    Ok(())
}

/// A copy of `model` that ends before the node `index`.
pub(super) fn before(model: &Model, index: usize) -> Model {
    let mut part = model.clone();
    let graph = part.graph_mut();
    graph.node.truncate(index);
    let last = graph.node.last().and_then(|n| n.output.first()).cloned();
    graph.output = vec![ValueInfoProto {
        name: last,
        ..ValueInfoProto::default()
    }];
    part
}

/// Number of nodes in `graph` and its subgraphs.
fn count(graph: &GraphProto) -> usize {
    let inner = graph.node.iter().flat_map(bodies::of);
    graph.node.len() + inner.map(count).sum::<usize>()
}

fn has_body(node: &NodeProto) -> bool {
    bodies::of(node).next().is_some()
}

/// The initializer that is the condition of `node`.
fn condition<'a>(graph: &'a GraphProto, node: &NodeProto) -> Option<&'a TensorProto> {
    graph.find_initializer(node.input.first()?)
}

/// Computes the condition of the If at `index` from shapes, and makes it a constant of its own. The nodes that compute
/// it stay, because others may read them: a shape for one image must not replace the shape of an open batch.
fn decide(
    model: &mut Model,
    index: usize,
    infer: &dyn Fn(&Model) -> Shapes,
    budget: &mut Budget,
) -> Result<(), OnnxError> {
    let Some(value) = model.nodes()[index].input.first().cloned() else {
        return Ok(());
    };
    let shapes = infer(&before(model, index));
    let mut part = Model::from_graph(ancestors(model.graph(), &value, &shapes), 10, 13);
    fold::constants(&mut part, budget)?;
    let Some(found) = part.graph().find_initializer(&value) else {
        return Ok(());
    };
    let found = found.clone();
    let graph = model.graph_mut();
    let name = Fresh::of(graph).name(&format!("{value}.decided"));
    graph.node[index].input[0].clone_from(&name);
    graph.initializer.push(TensorProto {
        name: Some(name),
        ..found
    });
    Ok(())
}

/// The nodes that compute `value` from constants and from `shapes`, which become constants, and a reader of `value`.
fn ancestors(graph: &GraphProto, value: &str, shapes: &Shapes) -> GraphProto {
    let wires = Wires::of(graph);
    let mut nodes = BTreeSet::new();
    let mut part = GraphProto::default();
    let mut seen = BTreeSet::new();
    let mut open = vec![value.to_owned()];
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(at) = wires.constant(&name) {
            part.initializer.push(graph.initializer[at].clone());
        }
        let Some(at) = wires.maker(&name) else {
            continue;
        };
        let node = &graph.node[at];
        let shape = node.input.first().filter(|_| node.is("Shape"));
        match shape.and_then(|x| shapes.get(x)) {
            Some(shape) => {
                let lengths = Value::ints(shape.iter().map(|&d| d as i64).collect());
                let tensor = lengths.section(node).ok().and_then(|v| v.write(&name));
                part.initializer.extend(tensor);
            }
            None => {
                nodes.insert(at);
                open.extend(node.input.iter().cloned());
            }
        }
    }
    part.node = nodes.iter().map(|&at| graph.node[at].clone()).collect();
    // Folding writes only the values that a node reads.
    part.node
        .push(NodeProto::new("If", "", [value], ["decided"]));
    part
}

/// Replaces the first node that has a subgraph.
fn inline_constant(model: &mut Model) -> Result<(), OnnxError> {
    let Some(index) = model.nodes().iter().position(has_body) else {
        return Ok(());
    };
    let node = &model.nodes()[index];
    let refused = || {
        OnnxErrorKind::Unsupported
            .error(format!(
                "{operator} with a condition that is not a constant is not supported",
                operator = node.op_type()
            ))
            .at(format_args!("node `{}`", node.label()))
    };
    let truths = condition(model.graph(), node)
        .filter(|_| node.is("If"))
        .map(TensorProto::truths);
    let taken = match truths.transpose()?.as_deref() {
        Some(&[true]) => "then_branch",
        Some(&[false]) => "else_branch",
        _ => return Err(refused()),
    };
    let branch = node.find_attr(taken).and_then(|a| a.g.clone());
    let branch = branch.ok_or_else(refused)?;
    if branch.output.len() != node.output.len() {
        return Err(refused());
    }
    let outer = node.output.clone();
    let prefix = node.label().to_owned();
    let graph = model.graph_mut();
    let mut own: BTreeSet<String> = branch.node.iter().flat_map(|n| n.output.clone()).collect();
    own.extend(branch.initializer.iter().map(|t| t.name().to_owned()));
    // An empty name stands for an omitted input or output.
    own.remove("");
    // Values of the branch get unique names; an Identity connects each branch output to the output of the If.
    let renamed = |name: &str| {
        if own.contains(name) {
            format!("{prefix}/{name}")
        } else {
            name.to_owned()
        }
    };
    let mut nodes: Vec<NodeProto> = Vec::with_capacity(branch.node.len() + outer.len());
    for mut inner in branch.node {
        bodies::rename(&mut inner, &renamed);
        inner.name = Some(format!("{prefix}/{}", inner.label()));
        nodes.push(inner);
    }
    for (port, output) in branch.output.iter().zip(outer) {
        let from = renamed(port.name());
        nodes.push(NodeProto::new(
            "Identity",
            format!("{prefix}/{output}"),
            [from],
            [output],
        ));
    }
    for mut tensor in branch.initializer {
        tensor.name = Some(renamed(tensor.name()));
        graph.initializer.push(tensor);
    }
    graph.node.splice(index..=index, nodes);
    Ok(())
}

#[cfg(test)]
mod tests;
