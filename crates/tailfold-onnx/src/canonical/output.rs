//! Keeps one output, and the nodes and inputs that it depends on.

use std::collections::HashSet;

use crate::proto::ValueInfoProto;
use crate::{Model, OnnxError, OnnxErrorKind};

/// Keeps the output `wanted`, or the only output, and the nodes that it depends on.
///
/// # Errors
/// [`OnnxErrorKind::Ports`] if the graph has no output `wanted`, [`OnnxErrorKind::SeveralOutputs`] if it has several and
/// none is requested.
pub(super) fn keep(model: &mut Model, wanted: Option<&str>) -> Result<(), OnnxError> {
    let graph = model.graph_mut();
    let found: Vec<&str> = graph.output.iter().map(ValueInfoProto::name).collect();
    match wanted {
        Some(wanted) if graph.output.iter().all(|o| o.name() != wanted) => {
            return Err(OnnxErrorKind::Ports.error(format!(
                "the graph has no output `{wanted}`, it has {}",
                found.join(", ")
            )));
        }
        Some(wanted) => graph.output.retain(|o| o.name() == wanted),
        None if found.len() > 1 => {
            return Err(OnnxErrorKind::SeveralOutputs.error(format!(
                "the graph has {} outputs ({})",
                found.len(),
                found.join(", ")
            )));
        }
        None => {}
    }
    let mut needed: HashSet<&str> = graph.output.iter().map(ValueInfoProto::name).collect();
    // From the last node to the first.
    let mut kept: Vec<bool> = Vec::with_capacity(graph.node.len());
    for node in graph.node.iter().rev() {
        let is_needed = node.output.iter().any(|o| needed.contains(o.as_str()));
        if is_needed {
            // An empty name stands for an omitted input, not for a value.
            needed.extend(super::reads(node).iter().filter(|name| !name.is_empty()));
        }
        kept.push(is_needed);
    }
    // Inputs that no node reads are removed. A single input stays, so that later errors can name it.
    if graph.input.len() > 1 {
        graph.input.retain(|i| needed.contains(i.name()));
    }
    graph.node.retain(|_| kept.pop().unwrap_or(true));
    Ok(())
}
