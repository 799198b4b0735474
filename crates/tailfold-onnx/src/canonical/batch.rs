//! Makes a fixed batch size symbolic, because the back ends run one image at a time.

use std::collections::BTreeMap;

use crate::Model;
use crate::proto::{Dimension, TensorProto, TypeValue, ValueInfoProto};
use crate::wires::{Fresh, Wires};

/// Makes the first dimension of the input and output symbolic if the input fixes a batch of more than one image, and
/// adapts every Reshape whose target shape begins with that batch size.
pub(super) fn open(model: &mut Model) {
    let fixed = model
        .input()
        .ok()
        .and_then(|i| i.shape()?.first().copied()?);
    let Some(images) = fixed.filter(|&n| n > 1) else {
        return;
    };
    let graph = model.graph_mut();
    for port in graph.input.iter_mut().chain(&mut graph.output) {
        leave_open(port, images);
    }
    let known = graph.input.iter().chain(&graph.value_info);
    let known = known.filter_map(|v| Some((v.name().to_owned(), v.shape()?.first().copied()?)));
    let known: BTreeMap<String, Option<usize>> = known.collect();
    graph.value_info.clear();
    let wires = Wires::of(graph);
    let mut names = Fresh::of(graph);
    let mut made = Vec::new();
    for node in &mut graph.node {
        let Some(shape) = node.input.get(1).filter(|_| node.is("Reshape")) else {
            continue;
        };
        let Some(tensor) = wires.constant(shape).map(|t| &graph.initializer[t]) else {
            continue;
        };
        let Ok(mut lengths) = tensor.values::<i64>() else {
            continue;
        };
        if lengths.first().copied() != i64::try_from(images).ok() {
            continue;
        }
        let keeps_zeros = node.int("allowzero").unwrap_or(0) != 0;
        let other = known.get(&node.input[0]).copied().flatten();
        lengths[0] = if !lengths[1..].contains(&-1) {
            -1
        } else if other.is_none_or(|n| n == images) {
            // With another inferred length, 0 copies the batch size from the input.
            0
        } else {
            continue;
        };
        if keeps_zeros {
            if lengths[1..].contains(&0) {
                continue;
            }
            node.attribute.retain(|a| a.name() != "allowzero");
        }
        let name = names.name(&format!("{shape}.open"));
        made.push(TensorProto::new(name.clone(), &[lengths.len()], &lengths));
        node.input[1] = name;
    }
    graph.initializer.extend(made);
}

fn leave_open(port: &mut ValueInfoProto, images: usize) {
    let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        return;
    };
    let first = tensor.shape.as_mut().and_then(|s| s.dim.first_mut());
    if let Some(first) = first.filter(|d| d.length() == Some(images)) {
        *first = Dimension::symbol("N");
    }
}

#[cfg(test)]
mod tests;
