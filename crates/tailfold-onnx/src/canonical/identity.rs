//! Nodes that hand their input on.

use std::collections::{BTreeMap, BTreeSet};

use super::CanonicalError;
use crate::Model;
use crate::proto::NodeProto;
use crate::wires::Wires;

/// Removes Identity, a Sum of one value, and Dropout as inference has it: whoever reads the output reads the input.
pub(super) fn remove(model: &mut Model) -> Result<(), CanonicalError> {
    refuse_training(model)?;
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let outputs: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    let mut source: BTreeMap<String, String> = BTreeMap::new();
    // Values that get the name of the output that they are.
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for (index, node) in graph.node.iter().enumerate() {
        if !hands_on(node, &wires) {
            continue;
        }
        let (input, output) = (&node.input[0], &node.output[0]);
        let input = source.get(input).unwrap_or(input).clone();
        if !outputs.contains(output) {
            source.insert(output.clone(), input);
            gone.insert(index);
        } else if wires.maker(&input).is_some()
            && !outputs.contains(&input)
            && !named.contains_key(&input)
        {
            named.insert(input, output.clone());
            gone.insert(index);
        }
    }
    let resolve = |name: &mut String| {
        if let Some(from) = source.get(name) {
            from.clone_into(name);
        }
        if let Some(to) = named.get(name) {
            to.clone_into(name);
        }
    };
    let mut index = 0;
    graph.node.retain_mut(|node| {
        let stays = !gone.contains(&index);
        index += 1;
        node.input.iter_mut().for_each(resolve);
        for output in &mut node.output {
            if let Some(to) = named.get(output) {
                to.clone_into(output);
            }
        }
        if node.is("Dropout") {
            node.output.truncate(1);
        }
        stays
    });
    Ok(())
}

/// Batch statistics and random zeros belong to training: an answer would depend on chance or on the other images.
fn refuse_training(model: &Model) -> Result<(), CanonicalError> {
    for node in model.nodes() {
        let asked = match node.op_type() {
            "BatchNormalization" => node.int("training_mode").unwrap_or(0) != 0,
            "Dropout" => node
                .input
                .get(2)
                .and_then(|t| model.graph().find_initializer(t))
                .and_then(|t| t.truths().ok())
                .is_some_and(|t| t.contains(&true)),
            _ => false,
        };
        if asked && matches!(node.domain(), "" | "ai.onnx") {
            return Err(CanonicalError::Training {
                node: node.label().to_owned(),
                operator: node.op_type().to_owned(),
            });
        }
    }
    Ok(())
}

fn hands_on(node: &NodeProto, wires: &Wires) -> bool {
    if node.input.first().is_none_or(String::is_empty) || node.output.is_empty() {
        return false;
    }
    let mask = node.output.get(1).filter(|o| !o.is_empty());
    let unread = mask.is_none_or(|m| wires.readers(m).is_empty() && !wires.is_output(m));
    // A third input may ask for training; one that is computed is left to the runtime.
    let training = node.input.get(2).filter(|i| !i.is_empty());
    let inference = training.is_none_or(|t| wires.constant(t).is_some());
    node.is("Identity")
        || (node.is("Sum") && node.input.len() == 1)
        || (node.is("Dropout") && unread && inference)
}

#[cfg(test)]
mod tests;
