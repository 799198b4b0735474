//! A batch that the file fixes, left open: back ends here run one image at a time.

use crate::Model;
use crate::proto::{Dimension, TensorProto, TypeValue, ValueInfoProto};
use crate::wires::{Fresh, Wires};

/// Opens the first dimension of the input and output where the input fixes more than one image, and of every Reshape to that many
/// rows.
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
        // 0 keeps the length of the input.
        lengths[0] = 0;
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
