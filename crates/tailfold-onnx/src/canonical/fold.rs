//! Constant folding: what the graph computes from constants becomes a constant.

use std::collections::{BTreeMap, BTreeSet};

use super::CanonicalError;
use crate::Model;
use crate::Shapes;
use crate::eval::{MAX_ELEMENTS, Unfolded, Value, evaluate};
use crate::limits::MOST_ELEMENTS;
use crate::proto::{AttributeProto, AttributeType, NodeProto, TensorProto};

/// Most elements that folding may read and make beyond [`PASSES`] times those of the file: a short file cannot ask for much
/// memory or time by many nodes.
const ROOM: usize = 4 * MAX_ELEMENTS;

/// How often an exporter's nodes read or make each constant, at most.
const PASSES: usize = 32;

/// Replaces each node that reads only constants by its value. QuantizeLinear and DequantizeLinear stay: they say how a
/// constant is quantized.
pub(super) fn constants(model: &mut Model) -> Result<(), CanonicalError> {
    within(model, ROOM)
}

fn within(model: &mut Model, room: usize) -> Result<(), CanonicalError> {
    let graph = model.graph_mut();
    let mut known: BTreeMap<String, Option<Value>> = BTreeMap::new();
    let constants: BTreeMap<String, usize> = graph
        .initializer
        .iter()
        .enumerate()
        .map(|(index, tensor)| (tensor.name().to_owned(), index))
        .collect();
    let outputs: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    let mut folded: BTreeSet<usize> = BTreeSet::new();
    let mut made: Vec<TensorProto> = Vec::new();
    let stored = graph.initializer.iter().filter_map(|t| t.shape().ok());
    let stored = stored.map(|s| s.iter().product::<usize>());
    let stored = stored.fold(0_usize, usize::saturating_add);
    let mut room = room.saturating_add(stored.saturating_mul(PASSES));
    for (index, node) in graph.node.iter().enumerate() {
        if let Some(elements) = claimed(node, &constants, &graph.initializer) {
            return Err(CanonicalError::TooLarge {
                node: node.label().to_owned(),
                operator: format!("{} to {elements} elements", node.op_type()),
                limit: MOST_ELEMENTS,
            });
        }
        let is_known = |name: &String| {
            name.is_empty() || constants.contains_key(name) || known.contains_key(name)
        };
        if !foldable(node) || !node.input.iter().all(is_known) {
            continue;
        }
        for name in node.input.iter().filter(|n| !n.is_empty()) {
            if !known.contains_key(name) {
                let tensor = &graph.initializer[constants[name]];
                known.insert(name.clone(), Value::read(tensor)?);
            }
        }
        let inputs: Option<Vec<Option<&Value>>> = node
            .input
            .iter()
            .map(|name| match known.get(name) {
                None => Some(None),
                Some(value) => value.as_ref().map(Some),
            })
            .collect();
        let Some(inputs) = inputs else { continue };
        let name = &node.output[0];
        let too_large = || CanonicalError::TooLarge {
            node: node.label().to_owned(),
            operator: node.op_type().to_owned(),
            limit: MAX_ELEMENTS,
        };
        let read: usize = inputs.iter().flatten().map(|v| v.len()).sum();
        room = room.checked_sub(read).ok_or_else(too_large)?;
        match evaluate(node, &inputs) {
            Ok(value) => {
                if outputs.contains(name) {
                    continue;
                }
                room = room.checked_sub(value.len()).ok_or_else(too_large)?;
                if let Some(tensor) = value.write(name) {
                    made.push(tensor);
                    folded.insert(index);
                    known.insert(name.clone(), Some(value));
                }
            }
            Err(Unfolded::Unknown) => {}
            Err(Unfolded::TooLarge) => {
                return Err(too_large());
            }
        }
    }
    if folded.is_empty() {
        return Ok(());
    }
    let mut index = 0;
    graph.node.retain(|_| {
        index += 1;
        !folded.contains(&(index - 1))
    });
    graph.initializer.extend(made);
    Ok(())
}

/// The elements of a constant shape that a Reshape or Expand asks for, when no classifier has as many.
fn claimed(
    node: &NodeProto,
    constants: &BTreeMap<String, usize>,
    initializers: &[TensorProto],
) -> Option<i64> {
    if !(node.is("Reshape") || node.is("Expand")) {
        return None;
    }
    let shape = &initializers[*constants.get(node.input.get(1)?)?];
    let lengths = shape.values::<i64>().ok()?;
    let known = lengths.iter().filter(|l| **l > 0);
    let elements = known.fold(1_i64, |n, &l| n.saturating_mul(l));
    (usize::try_from(elements).map_or(true, |n| n > MOST_ELEMENTS)).then_some(elements)
}

fn foldable(node: &NodeProto) -> bool {
    !node.input.is_empty()
        && node.output.len() == 1
        && !node.output[0].is_empty()
        && !node.is("QuantizeLinear")
        && !node.is("DequantizeLinear")
}

/// Replaces each Shape of a value in `shapes` (for one image) by its value, and what is computed from them.
pub(super) fn shapes(model: &mut Model, shapes: &Shapes) -> Result<(), CanonicalError> {
    for node in &mut model.graph_mut().node {
        let known = node
            .input
            .first()
            .filter(|_| node.is("Shape"))
            .and_then(|x| shapes.get(x));
        let Some(shape) = known else { continue };
        let lengths = Value::ints(shape.iter().map(|&d| d as i64).collect());
        let Some(tensor) = lengths.section(node).ok().and_then(|v| v.write("")) else {
            continue;
        };
        let value = AttributeProto {
            t: Some(tensor),
            ..AttributeProto::named("value", AttributeType::Tensor)
        };
        let output = node.output.clone();
        *node = NodeProto::new("Constant", node.label(), [""; 0], output).attr(value);
    }
    super::constants::to_initializers(model)?;
    constants(model)
}

#[cfg(test)]
mod tests;
