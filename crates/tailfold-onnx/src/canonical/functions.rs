//! Inlines model-local functions (IR version 8): operators that the file defines itself.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use super::bodies;
use crate::limits::MOST_NODES;
use crate::proto::{FunctionProto, NodeProto};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Deepest supported nesting of function calls; the ONNX format forbids recursion.
const DEEPEST: usize = 16;

/// Largest total size of the copies of functions that are called more than once, in bytes as encoded.
const COPIED: usize = 1 << 28;

/// Domain, name and overload, which identify a function.
type Key = (String, String, String);

/// Replaces each call of a model-local function by the nodes of the function. Nodes and values inside get unique names
/// per call.
///
/// # Errors
/// [`OnnxErrorKind::Unsupported`] for recursion, calls nested deeper than [`DEEPEST`], more than [`MOST_NODES`] nodes,
/// and copies of more than [`COPIED`] bytes.
pub(super) fn inline(model: &mut Model) -> Result<(), OnnxError> {
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
        called: BTreeSet::new(),
        copied: 0,
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
            return Err(OnnxErrorKind::Unsupported
                .error("the model's own functions are recursive, or nested deeper than 16 calls"));
        }
    }
    model.forget_domains();
    Ok(())
}

/// State of one pass over all nodes.
struct Calls<'a> {
    functions: &'a BTreeMap<Key, FunctionProto>,
    /// Functions with at least one call.
    called: BTreeSet<Key>,
    /// Bytes of the copies for all calls but the first of each function.
    copied: usize,
    /// Number of the last call, which makes its names unique.
    found: usize,
    /// Nodes written so far.
    nodes: usize,
}

impl Calls<'_> {
    /// Replaces each call in `nodes` and their subgraphs by the nodes of its function.
    fn replace(&mut self, nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, OnnxError> {
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
                if !self.called.insert(key) {
                    self.copied = self.copied.saturating_add(function.encoded_len());
                }
                if self.copied > COPIED {
                    return Err(OnnxErrorKind::Unsupported.error(
                        "the model's own functions are too large for the number of their calls",
                    ));
                }
                replaced.extend(body(&node, function, self.found));
            } else {
                for graph in bodies::of_mut(&mut node) {
                    graph.node = self.replace(std::mem::take(&mut graph.node))?;
                }
                replaced.push(node);
            }
            self.nodes += replaced.len() - before;
            if self.nodes > MOST_NODES {
                return Err(OnnxErrorKind::Unsupported.error(
                    "the model's own functions expand to more nodes than a model may have",
                ));
            }
        }
        Ok(replaced)
    }
}

/// The nodes of `function` that replace the call `node`; `call` is the number of the call.
fn body(node: &NodeProto, function: &FunctionProto, call: usize) -> Vec<NodeProto> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (i, formal) in function.input.iter().enumerate() {
        let actual = node.input.get(i).cloned().unwrap_or_default();
        names.insert(formal, actual);
    }
    let outputs = function.output.iter().zip(&node.output);
    // An output that the call omits keeps a name, since nodes of the function may read it.
    for (formal, actual) in outputs.filter(|(_, actual)| !actual.is_empty()) {
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

/// Resolves the attributes of `inner` that refer to an attribute of the function (`ref_attr_name`): the call gives the
/// value, else the default of the function; without both, the attribute is removed.
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
