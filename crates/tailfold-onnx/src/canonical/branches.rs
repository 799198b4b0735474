//! If with a constant condition: the branch that is taken stands in its place.

use std::collections::BTreeSet;

use super::{CanonicalError, bodies, constants, fold};
use crate::Model;
use crate::Shapes;
use crate::proto::{NodeProto, ValueInfoProto};

/// Replaces each If whose condition is a constant by the nodes of its branch; a condition may be computed from shapes, which
/// `infer` tells. Any other graph with branches or loops is an error that names the node: what it computes may depend on
/// the image.
pub(super) fn inline(
    model: &mut Model,
    infer: &dyn Fn(&Model) -> Shapes,
) -> Result<(), CanonicalError> {
    while let Some(index) = model.nodes().iter().position(has_body) {
        let constant = model.nodes()[index]
            .input
            .first()
            .is_some_and(|c| model.graph().find_initializer(c).is_some());
        if !constant {
            // Shapes of what is computed before the node.
            fold::shapes(model, &infer(&before(model, index)))?;
        }
        inline_constant(model)?;
        constants::to_initializers(model)?;
        fold::constants(model)?;
    }
    Ok(())
}

/// The graph up to the node `index`.
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

fn has_body(node: &NodeProto) -> bool {
    bodies::of(node).next().is_some()
}

/// Replaces the first node with a body.
fn inline_constant(model: &mut Model) -> Result<(), CanonicalError> {
    if let Some(index) = model.nodes().iter().position(has_body) {
        let node = &model.nodes()[index];
        let refused = || CanonicalError::Branch {
            node: node.label().to_owned(),
            operator: node.op_type().to_owned(),
        };
        let condition = node.input.first().filter(|_| node.is("If"));
        let condition = condition.and_then(|c| model.graph().find_initializer(c));
        let taken = match condition.map(|c| c.truths()).transpose()?.as_deref() {
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
        // Values of the branch get names of their own; those that it hands out are Identities of them.
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
    }
    Ok(())
}

#[cfg(test)]
mod tests;
