//! Standard operators of a version that has quantization by channel.

use super::{CanonicalError, fresh};
use crate::Model;

/// Oldest version whose operators are known here.
const FIRST: i64 = 11;
/// Newest one.
const LAST: i64 = 21;
/// The first version with a scale for each channel.
const BY_CHANNEL: i64 = 13;
/// Version of the format that came with it.
const IR_VERSION: i64 = 7;

/// Raises the version to 13.
pub(super) fn raise(model: &mut Model) -> Result<(), CanonicalError> {
    let found = model.opset().unwrap_or(0);
    if !(FIRST..=LAST).contains(&found) {
        return Err(CanonicalError::Opset {
            found,
            first: FIRST,
            last: LAST,
        });
    }
    if found >= BY_CHANNEL {
        return Ok(());
    }
    let graph = model.graph_mut();
    let of_rank_2: Vec<String> = graph
        .output
        .iter()
        .filter(|o| o.shape().is_some_and(|s| s.len() == 2))
        .map(|o| o.name().to_owned())
        .collect();
    for node in &mut graph.node {
        if !(node.is("Softmax") || node.is("LogSoftmax")) {
            continue;
        }
        let axis = node.int("axis").unwrap_or(1);
        // Of a matrix, both take the softmax of each row.
        let rows = matches!(axis, 1 | -1) && node.output.iter().any(|o| of_rank_2.contains(o));
        if !rows {
            return Err(CanonicalError::Softmax {
                node: node.label().to_owned(),
                found,
                axis,
            });
        }
        *node = std::mem::take(node).attr_int("axis", axis);
    }
    attributes_to_inputs(model);
    model.raise_ir_version(IR_VERSION);
    model.set_opset(BY_CHANNEL);
    Ok(())
}

/// Version 13 has as second inputs what these operators had as attributes. Of the operators that [`crate::check()`] knows,
/// no other changed its form from 11 on.
fn attributes_to_inputs(model: &mut Model) {
    let moved = [
        ("Squeeze", "axes"),
        ("Unsqueeze", "axes"),
        ("ReduceSum", "axes"),
        ("Split", "split"),
    ];
    for index in 0..model.nodes().len() {
        let node = &model.nodes()[index];
        let Some((_, attribute)) = moved.iter().find(|(op, _)| node.is(op)) else {
            continue;
        };
        let Some(values) = node.ints(attribute).map(<[i64]>::to_vec) else {
            continue;
        };
        let name = fresh(model.graph(), &format!("{}.{attribute}", node.label()));
        model.set_initializer(&name, &[values.len()], &values);
        let node = &mut model.graph_mut().node[index];
        node.attribute.retain(|a| a.name() != *attribute);
        node.input.truncate(1);
        node.input.push(name);
    }
}
