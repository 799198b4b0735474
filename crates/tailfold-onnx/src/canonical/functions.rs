//! Operators that the file defines itself (model-local functions, IR version 8), inlined.

use std::collections::BTreeMap;

use super::CanonicalError;
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
    for depth in 0.. {
        let nodes = std::mem::take(&mut model.graph_mut().node);
        let mut inlined = Vec::with_capacity(nodes.len());
        let mut calls = 0_usize;
        for node in nodes {
            let key = (
                node.domain().to_owned(),
                node.op_type().to_owned(),
                node.overload().to_owned(),
            );
            match functions.get(&key) {
                None => inlined.push(node),
                Some(function) => {
                    calls += 1;
                    inlined.extend(body(&node, function, depth * MOST_NODES + calls));
                }
            }
            if inlined.len() > MOST_NODES {
                return Err(CanonicalError::Functions(
                    "have more nodes than a model may",
                ));
            }
        }
        model.graph_mut().node = inlined;
        if calls == 0 {
            break;
        }
        if depth == DEEPEST {
            return Err(CanonicalError::Functions("call themselves, or each other"));
        }
    }
    model.forget_domains();
    Ok(())
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
        for value in copy.input.iter_mut().chain(&mut copy.output) {
            *value = own(value, &names);
        }
        copy.name = Some(format!("{label}/{}#{call}", inner.label()));
        copy.attribute = inner
            .attribute
            .iter()
            .filter_map(|attribute| {
                // An attribute of the caller, or its default; without both it is absent.
                let Some(refers) = attribute.ref_attr_name.as_deref().filter(|r| !r.is_empty())
                else {
                    return Some(attribute.clone());
                };
                let given = node.find_attr(refers);
                let default = function.attribute_proto.iter().find(|a| a.name() == refers);
                let mut value = given.or(default)?.clone();
                value.name.clone_from(&attribute.name);
                Some(value)
            })
            .collect();
        nodes.push(copy);
    }
    nodes
}
