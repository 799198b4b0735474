//! Removes nodes that return their input unchanged.

use std::collections::{BTreeMap, BTreeSet};

use crate::proto::NodeProto;
use crate::wires::Wires;
use crate::{Model, OnnxError, OnnxErrorKind};

/// Removes Identity, Sum of one value, and Dropout in inference mode; their readers then read the input.
///
/// # Errors
/// [`OnnxErrorKind::Unsupported`] for a node in training mode.
pub(super) fn remove(model: &mut Model) -> Result<(), OnnxError> {
    refuse_training(model)?;
    let graph = model.graph_mut();
    let removable = ["Identity", "Sum", "Dropout"];
    if !graph
        .node
        .iter()
        .any(|n| removable.iter().any(|op| n.is(op)))
    {
        return Ok(());
    }
    let wires = Wires::of(graph);
    let outputs: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    let mut source: BTreeMap<String, String> = BTreeMap::new();
    // Values that take the name of the graph output that they equal.
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for (index, node) in graph.node.iter().enumerate() {
        if !is_identity(node, &wires) {
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
        let mask = node.output.get(1).filter(|m| !m.is_empty());
        if node.is("Dropout") && mask.is_some_and(|m| unread(m, &wires)) {
            node.output.truncate(1);
        }
        stays
    });
    Ok(())
}

/// Refuses training mode, where the result depends on random numbers or on the other images of the batch.
fn refuse_training(model: &Model) -> Result<(), OnnxError> {
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
            return Err(OnnxErrorKind::Unsupported
                .error(format!(
                    "{operator} is in training_mode: its output depends on the batch or on random numbers; \
                     export the model in evaluation mode",
                    operator = node.op_type()
                ))
                .at(format_args!("node `{}`", node.label())));
        }
    }
    Ok(())
}

/// True if no node reads `value` and the graph does not return it.
fn unread(value: &str, wires: &Wires) -> bool {
    wires.readers(value).is_empty() && !wires.is_output(value)
}

/// True if the first output of `node` equals its first input.
fn is_identity(node: &NodeProto, wires: &Wires) -> bool {
    if node.input.first().is_none_or(String::is_empty) || node.output.is_empty() {
        return false;
    }
    let mask = node.output.get(1).filter(|o| !o.is_empty());
    let unread = mask.is_none_or(|m| unread(m, wires));
    // The third input is `training_mode`. If the graph computes it, the node stays for the runtime.
    let training = node.input.get(2).filter(|i| !i.is_empty());
    let inference = training.is_none_or(|t| wires.constant(t).is_some());
    node.is("Identity")
        || (node.is("Sum") && node.input.len() == 1)
        || (node.is("Dropout") && unread && inference)
}

#[cfg(test)]
mod tests;
