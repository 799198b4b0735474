//! The node at which tract panics.

use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, ValueInfoProto};
use tract_onnx::prelude::*;

use crate::boundary::guarded;
use crate::classifier::parse;

/// Label of the first node of `model` without which tract prepares it and with which it panics, found by halving; of the last
/// one, when the beginnings of the graph are all sound.
pub(crate) fn blame(model: &Model) -> String {
    let nodes = model.nodes().len();
    // The first `sound` nodes are prepared, the first `bad` are not.
    let (mut sound, mut bad) = (0, nodes);
    while bad - sound > 1 {
        let middle = usize::midpoint(sound, bad);
        if is_sound(model, middle) {
            sound = middle;
        } else {
            bad = middle;
        }
    }
    let node = model.nodes().get(bad.saturating_sub(1));
    node.map_or_else(|| "?".to_owned(), |n| n.label().to_owned())
}

fn is_sound(model: &Model, nodes: usize) -> bool {
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
        // An error is none of a panic's: only the panic is looked for.
        if let Ok((model, _)) = parse(&part.to_bytes(), "a part", &[]) {
            let _ = model.into_optimized();
        }
    })
    .is_ok()
}
