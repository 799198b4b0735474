//! MatMul of one row per image with a constant matrix, `[N, 1, C] x [C, D]`, as Gemm.

use crate::proto::{NodeProto, TensorProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, Shapes};

/// Rewrites each such MatMul as Flatten, MatMul of two matrices, and Unsqueeze.
pub(super) fn to_matrices(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let mut names = Fresh::of(graph);
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut made = Vec::new();
    for node in &graph.node {
        let row = node.input.first().and_then(|x| shapes.get(x));
        let one_row = matches!(row.map(Vec::as_slice), Some(&[1, 1, _]));
        let matrix = node.input.get(1).and_then(|w| wires.constant(w));
        let matrix = matrix.is_some_and(|w| graph.initializer[w].dims.len() == 2);
        if !(node.is("MatMul") && one_row && matrix) {
            nodes.push(node.clone());
            continue;
        }
        let output = &node.output[0];
        let [rows, product, axis] =
            ["rows", "product", "axis"].map(|part| names.name(&format!("{output}.{part}")));
        made.push(TensorProto::new(&axis, &[1], &[1_i64]));
        nodes.push(
            NodeProto::new("Flatten", names.name(&rows), [&node.input[0]], [&rows])
                .attr_int("axis", 1),
        );
        // The input is now the output of Flatten, so `tidy` knows that it is a matrix and makes a Gemm.
        nodes.push(NodeProto {
            input: vec![rows, node.input[1].clone()],
            output: vec![product.clone()],
            ..node.clone()
        });
        nodes.push(NodeProto::new(
            "Unsqueeze",
            names.name(&axis),
            [&product, &axis],
            [output],
        ));
    }
    graph.node = nodes;
    graph.initializer.extend(made);
}
