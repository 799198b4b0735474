//! Structural check of a graph: names, order of nodes, inputs of operators, and constants.

use std::collections::{BTreeMap, BTreeSet};

pub use error::CheckError;
use operators::{WEIGHTED, check_operator};

use crate::limits::{MOST_INPUTS, MOST_NODES, MOST_VALUES, NEWEST_IR};
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::{Model, TensorError};

mod error;
mod operators;

/// Checks the structure of `model` ([`check_structure`]), the number of inputs of each operator that this crate knows,
/// and the kernel, stride, dilation and padding of convolutions and pools.
///
/// # Errors
/// The first [`CheckError`] found, constants first, then nodes in their order.
pub fn check(model: &Model) -> Result<(), CheckError> {
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
pub fn check_structure(model: &Model) -> Result<(), CheckError> {
    walk(model, |_| Ok(()))
}

fn walk(
    model: &Model,
    operator: impl Fn(&NodeProto) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    if model.opset().is_none_or(|version| version < 1) {
        return Err(CheckError::NoOpset);
    }
    if model.ir_version() > NEWEST_IR {
        return Err(CheckError::Format {
            found: model.ir_version(),
            newest: NEWEST_IR,
        });
    }
    let graph = model.graph();
    if graph.node.len() > MOST_NODES {
        return Err(CheckError::Nodes {
            found: graph.node.len(),
            most: MOST_NODES,
        });
    }
    for (what, found) in [
        ("initializers", graph.initializer.len()),
        ("declared values", graph.value_info.len()),
    ] {
        if found > MOST_VALUES {
            let most = MOST_VALUES;
            return Err(CheckError::Values { what, found, most });
        }
    }
    let mut defined = constants(graph)?;
    // IR versions before 4 list every initializer among the inputs as well.
    let mut inputs = BTreeSet::new();
    for input in &graph.input {
        if !inputs.insert(input.name()) {
            return Err(CheckError::DuplicateValue(input.name().to_owned()));
        }
        if input.name().is_empty() {
            return Err(CheckError::Unnamed("an input".to_owned()));
        }
    }
    defined.extend(inputs);
    let mut names = BTreeSet::new();
    for node in &graph.node {
        if !node.name().is_empty() && !names.insert(node.name()) {
            return Err(CheckError::DuplicateNode(node.name().to_owned()));
        }
        if node.input.len() > MOST_INPUTS {
            return Err(CheckError::ManyInputs {
                node: node.label().to_owned(),
                operator: node.op_type().to_owned(),
                found: node.input.len(),
                most: MOST_INPUTS,
            });
        }
        operator(node)?;
        check_values(node, &mut defined)?;
    }
    let mut outputs = BTreeSet::new();
    if let Some(twice) = graph.output.iter().find(|o| !outputs.insert(o.name())) {
        return Err(CheckError::DuplicateOutput(twice.name().to_owned()));
    }
    match graph.output.iter().find(|o| !defined.contains(o.name())) {
        Some(output) => Err(CheckError::Undefined {
            user: "the graph's output".to_owned(),
            value: output.name().to_owned(),
        }),
        None => Ok(()),
    }
}

fn constants(graph: &GraphProto) -> Result<BTreeSet<&str>, CheckError> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", TensorProto::name);
        return Err(CheckError::Sparse(name.to_owned()));
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
            return Err(CheckError::Unnamed("an initializer".to_owned()));
        }
        if !defined.insert(tensor.name()) {
            return Err(CheckError::DuplicateValue(tensor.name().to_owned()));
        }
        match tensor.check() {
            // The runtime checks strings, complex numbers and numbers narrower than a byte.
            Err(TensorError::Type { .. }) if tensor.element().is_some() => continue,
            other => other?,
        }
        if tensor.element() == Some(DataType::Float) {
            let values: Vec<f32> = tensor.values()?;
            let weight = weights.contains(tensor.name());
            let poisons = |v: &f32| v.is_nan() || (weight && v.is_infinite());
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| poisons(v)) {
                return Err(CheckError::NotFinite {
                    tensor: tensor.name().to_owned(),
                    index,
                    value,
                });
            }
        }
    }
    Ok(defined)
}

fn check_values<'a>(
    node: &'a NodeProto,
    defined: &mut BTreeSet<&'a str>,
) -> Result<(), CheckError> {
    let undefined = |name: &&String| !name.is_empty() && !defined.contains(name.as_str());
    if let Some(value) = node.input.iter().find(undefined) {
        return Err(CheckError::Undefined {
            user: format!("node `{}`", node.label()),
            value: value.clone(),
        });
    }
    if node.output.first().is_none_or(String::is_empty) {
        return Err(CheckError::Unnamed(format!(
            "the output of node `{}`",
            node.label()
        )));
    }
    match node
        .output
        .iter()
        .find(|name| !name.is_empty() && !defined.insert(name))
    {
        Some(name) => Err(CheckError::DuplicateValue(name.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
