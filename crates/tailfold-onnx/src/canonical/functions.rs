//! Operators that the file defines itself (model-local functions, IR version 8), inlined.

use std::collections::BTreeMap;

use super::{CanonicalError, bodies};
use crate::Model;
use crate::limits::MOST_NODES;
use crate::proto::{FunctionProto, NodeProto};

/// Deepest nesting of functions in functions; the format forbids recursion.
const DEEPEST: usize = 16;

/// Domain, name and overload of a function.
type Key = (String, String, String);

/// Replaces each node that calls a function of the file by the function's nodes, values and nodes under names of their
/// own.
pub(super) fn inline(model: &mut Model) -> Result<(), CanonicalError> {
    if model.functions().is_empty() {
        return Ok(());
    }
    let functions: BTreeMap<Key, FunctionProto> = model
        .take_functions()
        .into_iter()
        .map(|f| {
            let key = (
                f.domain().to_owned(),
                f.name().to_owned(),
                f.overload().to_owned(),
            );
            (key, f)
        })
        .collect();
    let mut calls = Calls {
        functions: &functions,
        found: 0,
        nodes: 0,
    };
    for depth in 0.. {
        let nodes = std::mem::take(&mut model.graph_mut().node);
        (calls.nodes, calls.found) = (0, depth * MOST_NODES);
        model.graph_mut().node = calls.replace(nodes)?;
        if calls.found == depth * MOST_NODES {
            break;
        }
        if depth == DEEPEST {
            return Err(CanonicalError::Functions("call themselves, or each other"));
        }
    }
    model.forget_domains();
    Ok(())
}

/// One pass over all nodes.
struct Calls<'a> {
    functions: &'a BTreeMap<Key, FunctionProto>,
    /// Number of the last call.
    found: usize,
    /// Nodes after the pass.
    nodes: usize,
}

impl Calls<'_> {
    /// `nodes` with the bodies of functions in place of their calls, in branches too.
    fn replace(&mut self, nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, CanonicalError> {
        let mut replaced = Vec::with_capacity(nodes.len());
        for mut node in nodes {
            let key = (
                node.domain().to_owned(),
                node.op_type().to_owned(),
                node.overload().to_owned(),
            );
            let before = replaced.len();
            if let Some(function) = self.functions.get(&key) {
                self.found += 1;
                replaced.extend(body(&node, function, self.found));
            } else {
                for graph in bodies::of_mut(&mut node) {
                    graph.node = self.replace(std::mem::take(&mut graph.node))?;
                }
                replaced.push(node);
            }
            self.nodes += replaced.len() - before;
            if self.nodes > MOST_NODES {
                return Err(CanonicalError::Functions(
                    "have more nodes than a model may",
                ));
            }
        }
        Ok(replaced)
    }
}

/// The nodes of `function` in place of the call `node`; `call` numbers the calls.
fn body(node: &NodeProto, function: &FunctionProto, call: usize) -> Vec<NodeProto> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (i, formal) in function.input.iter().enumerate() {
        let actual = node.input.get(i).cloned().unwrap_or_default();
        names.insert(formal, actual);
    }
    for (formal, actual) in function.output.iter().zip(&node.output) {
        names.insert(formal, actual.clone());
    }
    let label = node.label().to_owned();
    let own = |name: &str, names: &BTreeMap<&str, String>| match names.get(name) {
        Some(actual) => actual.clone(),
        None if name.is_empty() => String::new(),
        None => format!("{label}/{name}#{call}"),
    };
    let mut nodes = Vec::with_capacity(function.node.len());
    for inner in &function.node {
        let mut copy = inner.clone();
        bodies::rename(&mut copy, &|name| own(name, &names));
        copy.name = Some(format!("{label}/{}#{call}", inner.label()));
        resolve(&mut copy, node, function);
        nodes.push(copy);
    }
    nodes
}

/// Gives attributes of `inner` that refer to one of the function the value of the call, or the default; without both they
/// are absent.
fn resolve(inner: &mut NodeProto, call: &NodeProto, function: &FunctionProto) {
    inner.attribute = std::mem::take(&mut inner.attribute)
        .into_iter()
        .filter_map(|attribute| {
            let Some(refers) = attribute.ref_attr_name.as_deref().filter(|r| !r.is_empty()) else {
                return Some(attribute);
            };
            let default = function.attribute_proto.iter().find(|a| a.name() == refers);
            let mut value = call.find_attr(refers).or(default)?.clone();
            value.name = attribute.name;
            Some(value)
        })
        .collect();
    for graph in bodies::of_mut(inner) {
        for nested in &mut graph.node {
            resolve(nested, call, function);
        }
    }
}

#[cfg(test)]
mod tests;
