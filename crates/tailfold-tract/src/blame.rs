//! Finds the node at which tract panics.

use std::sync::Arc;

use tailfold_integer::Region;
use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, ValueInfoProto};
use tract_onnx::prelude::*;

use crate::boundary::guarded;
use crate::parse::parse;

/// Returns the label of the first node of `model` at which tract panics, found by bisecting the list of
/// nodes; `regions` are the integer programs among its nodes.
///
/// Falls back to the last node if no prefix of the graph panics.
pub(crate) fn blame(model: &Model, regions: &[Arc<Region>]) -> String {
    let nodes = model.nodes().len();
    // tract prepares the first `sound` nodes without a panic, and panics at the first `bad` nodes.
    let (mut sound, mut bad) = (0, nodes);
    while bad - sound > 1 {
        let middle = usize::midpoint(sound, bad);
        if is_sound(model, middle, regions) {
            sound = middle;
        } else {
            bad = middle;
        }
    }
    let node = model.nodes().get(bad.saturating_sub(1));
    node.map_or_else(|| "?".to_owned(), |n| n.label().to_owned())
}

/// Whether tract prepares the first `nodes` nodes of `model` without a panic.
fn is_sound(model: &Model, nodes: usize, regions: &[Arc<Region>]) -> bool {
    let mut part = model.clone();
    let graph = part.graph_mut();
    graph.node.truncate(nodes);
    let Some(last) = graph.node.last().and_then(|n| n.output.first()).cloned() else {
        return true;
    };
    let mut output = ValueInfoProto::tensor(last, DataType::Float, Vec::new());
    output.r#type = None;
    graph.output = vec![output];
    guarded(|| {
        // An error counts as sound: only a panic is looked for.
        if let Ok((model, _)) = parse(&part.to_bytes(), "a part", regions) {
            let _ = model.into_optimized();
        }
    })
    .is_ok()
}
