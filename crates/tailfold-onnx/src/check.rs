//! Structural check of a graph: names, order of nodes, inputs of operators, and constants.

use std::collections::{BTreeMap, BTreeSet};

use operators::{WEIGHTED, check_operator};

use crate::limits::{MOST_INPUTS, MOST_NODES, MOST_VALUES, NEWEST_IR};
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::{Model, OnnxError, OnnxErrorKind};

mod operators;

/// Checks the structure of `model` ([`check_structure`]), the number of inputs of each operator that this crate knows,
/// and the kernel, stride, dilation and padding of convolutions and pools.
///
/// # Errors
/// The first [`OnnxError`] found, constants first, then nodes in their order.
pub fn check(model: &Model) -> Result<(), OnnxError> {
    let graph = model.graph();
    let ranks = graph.initializer.iter().map(|t| (t.name(), t.dims.len()));
    let ranks: BTreeMap<&str, usize> = ranks.collect();
    walk(model, |node| check_operator(node, &ranks))
}

/// Checks the structure of `model` alone: the IR version and the number of nodes are supported, the opset version is
/// given, names are unique, every value is defined before it is read (so there is no cycle), every constant fills its
/// shape, no f32 constant is NaN, and no f32 weight is infinite. Infinity is valid as a padding value or a bound.
///
/// # Errors
/// As [`check`].
pub fn check_structure(model: &Model) -> Result<(), OnnxError> {
    walk(model, |_| Ok(()))
}

fn walk(
    model: &Model,
    operator: impl Fn(&NodeProto) -> Result<(), OnnxError>,
) -> Result<(), OnnxError> {
    if model.opset().is_none_or(|version| version < 1) {
        return Err(OnnxErrorKind::Structure
            .error("the model does not say which version of the standard operators it uses"));
    }
    if model.ir_version() > NEWEST_IR {
        return Err(OnnxErrorKind::Unsupported.error(format!(
            "the file has version {found} of the ONNX format, the newest known is {newest}",
            found = model.ir_version(),
            newest = NEWEST_IR
        )));
    }
    let graph = model.graph();
    if graph.node.len() > MOST_NODES {
        return Err(OnnxErrorKind::Limit.error(format!(
            "the graph has {found} nodes, expected at most {most}",
            found = graph.node.len(),
            most = MOST_NODES
        )));
    }
    for (kind, found) in [
        ("initializers", graph.initializer.len()),
        ("declared values", graph.value_info.len()),
    ] {
        if found > MOST_VALUES {
            let most = MOST_VALUES;
            return Err(OnnxErrorKind::Limit.error(format!(
                "the graph has {found} {kind}, expected at most {most}"
            )));
        }
    }
    let mut defined = constants(graph)?;
    // IR versions before 4 list every initializer among the inputs as well.
    let mut inputs = BTreeSet::new();
    for input in &graph.input {
        if !inputs.insert(input.name()) {
            return Err(OnnxErrorKind::Structure
                .error(format!("the value `{}` is defined twice", input.name())));
        }
        if input.name().is_empty() {
            return Err(OnnxErrorKind::Structure.error("an input has no name"));
        }
    }
    defined.extend(inputs);
    let mut names = BTreeSet::new();
    for node in &graph.node {
        if !node.name().is_empty() && !names.insert(node.name()) {
            return Err(
                OnnxErrorKind::Structure.error(format!("two nodes are called `{}`", node.name()))
            );
        }
        if node.input.len() > MOST_INPUTS {
            return Err(OnnxErrorKind::Limit.error(format!(
                "node `{node}` ({operator}) has {found} inputs, expected at most {most}",
                node = node.label(),
                operator = node.op_type(),
                found = node.input.len(),
                most = MOST_INPUTS
            )));
        }
        operator(node)?;
        check_values(node, &mut defined)?;
    }
    let mut outputs = BTreeSet::new();
    if let Some(twice) = graph.output.iter().find(|o| !outputs.insert(o.name())) {
        return Err(OnnxErrorKind::Structure.error(format!(
            "the graph lists the output `{}` twice",
            twice.name()
        )));
    }
    match graph.output.iter().find(|o| !defined.contains(o.name())) {
        Some(output) => Err(OnnxErrorKind::Structure.error(format!(
            "the graph's output uses `{value}` before it is defined",
            value = output.name()
        ))),
        None => Ok(()),
    }
}

fn constants(graph: &GraphProto) -> Result<BTreeSet<&str>, OnnxError> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", TensorProto::name);
        return Err(OnnxErrorKind::Unsupported.error(format!(
            "the initializer `{name}` is sparse, which is not supported"
        )));
    }
    let weights: BTreeSet<&str> = graph
        .node
        .iter()
        .filter(|n| WEIGHTED.iter().any(|op| n.is(op)))
        .flat_map(|n| n.input.iter().skip(1).map(String::as_str))
        .collect();
    let mut defined = BTreeSet::new();
    for tensor in &graph.initializer {
        if tensor.name().is_empty() {
            return Err(OnnxErrorKind::Structure.error("an initializer has no name"));
        }
        if !defined.insert(tensor.name()) {
            return Err(OnnxErrorKind::Structure
                .error(format!("the value `{}` is defined twice", tensor.name())));
        }
        match tensor.check() {
            // The runtime checks strings, complex numbers and numbers narrower than a byte.
            Err(error)
                if error.kind() == OnnxErrorKind::ElementType && tensor.element().is_some() =>
            {
                continue;
            }
            other => other?,
        }
        if tensor.element() == Some(DataType::Float) {
            let values: Vec<f32> = tensor.values()?;
            let weight = weights.contains(tensor.name());
            let poisons = |v: &f32| v.is_nan() || (weight && v.is_infinite());
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| poisons(v)) {
                return Err(OnnxErrorKind::NotFinite.error(format!(
                    "the initializer `{tensor}` has {value} at index {index}",
                    tensor = tensor.name()
                )));
            }
        }
    }
    Ok(defined)
}

fn check_values<'a>(node: &'a NodeProto, defined: &mut BTreeSet<&'a str>) -> Result<(), OnnxError> {
    let undefined = |name: &&String| !name.is_empty() && !defined.contains(name.as_str());
    if let Some(value) = node.input.iter().find(undefined) {
        return Err(OnnxErrorKind::Structure.error(format!(
            "node `{}` uses `{value}` before it is defined",
            node.label()
        )));
    }
    if node.output.first().is_none_or(String::is_empty) {
        return Err(OnnxErrorKind::Structure
            .error(format!("the output of node `{}` has no name", node.label())));
    }
    match node
        .output
        .iter()
        .find(|name| !name.is_empty() && !defined.insert(name))
    {
        Some(name) => {
            Err(OnnxErrorKind::Structure.error(format!("the value `{name}` is defined twice")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
