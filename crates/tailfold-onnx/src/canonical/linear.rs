//! Linear layers as `Gemm(x, W, b)` with `W` of shape `[out, in]`, the output channel first as in a convolution.

use super::{CanonicalError, fresh, only_reader};
use crate::Model;
use crate::proto::{GraphProto, NodeProto};

/// Rewrites Gemm with a constant `[in, out]` weight, and MatMul of a matrix with a constant one, together with the
/// addition of a constant after it.
pub(super) fn to_gemm(model: &mut Model) -> Result<(), CanonicalError> {
    let mut index = 0;
    while index < model.nodes().len() {
        if let Some(gemm) = gemm_of(model.graph(), index) {
            join_bias(model, index, gemm);
        }
        let node = &model.nodes()[index];
        let constant = |input: usize| {
            let name = node.input.get(input)?;
            model.graph().find_initializer(name)
        };
        let transposable = node.is("Gemm")
            && node.int("transB").unwrap_or(0) == 0
            && node.int("transA").unwrap_or(0) == 0
            && constant(1).is_some_and(|w| w.dims.len() == 2);
        if transposable {
            transpose(model, index)?;
        }
        index += 1;
    }
    Ok(())
}

/// The MatMul at `index` as a Gemm without a bias, if it multiplies a matrix by a constant one.
fn gemm_of(graph: &GraphProto, index: usize) -> Option<NodeProto> {
    let node = &graph.node[index];
    let weight = graph.find_initializer(node.input.get(1)?)?;
    let matrices = weight.dims.len() == 2 && is_matrix(graph, node.input.first()?, node);
    (node.is("MatMul") && matrices).then(|| NodeProto {
        op_type: Some("Gemm".to_owned()),
        ..node.clone()
    })
}

/// True when `value` has rank 2: the file says so, its source always makes that, or the rank survives from `node` to an
/// output of rank 2.
fn is_matrix(graph: &GraphProto, value: &str, node: &NodeProto) -> bool {
    if let Some(shape) = graph.find_value(value).and_then(|v| v.shape()) {
        return shape.len() == 2;
    }
    if graph
        .producer(value)
        .is_some_and(|n| n.is("Flatten") || n.is("Gemm"))
    {
        return true;
    }
    let mut at = node;
    while let Some(output) = at.output.first() {
        if let Some(shape) = graph.find_value(output).and_then(|v| v.shape()) {
            return shape.len() == 2;
        }
        let mut readers = graph.consumers(output);
        match (readers.next(), readers.next()) {
            (Some(next), None) if next.is("Softmax") || adds_constant(graph, next).is_some() => {
                at = next;
            }
            _ => return false,
        }
    }
    false
}

/// Name of the constant row that `node` adds.
fn adds_constant<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<&'a str> {
    let row = |name: &&String| {
        let tensor = graph.find_initializer(name);
        tensor.is_some_and(|t| matches!(t.dims[..], [_] | [1, _]))
    };
    let constant = node.input.iter().find(row)?;
    node.is("Add").then_some(constant)
}

/// Puts `gemm` at `index`, with the addition of a constant to its output as its bias.
fn join_bias(model: &mut Model, index: usize, mut gemm: NodeProto) {
    let graph = model.graph();
    let weight = graph.find_initializer(&gemm.input[1]);
    let classes = weight.and_then(|w| w.dims.last().copied()).unwrap_or(0);
    let output = gemm.output[0].clone();
    let add = graph.node.iter().position(|n| n.input.contains(&output));
    if let Some(add) = add.filter(|_| only_reader(graph, &output))
        && let Some(bias) = adds_constant(graph, &graph.node[add])
        && graph
            .find_initializer(bias)
            .is_some_and(|b| b.dims.last() == Some(&classes))
    {
        gemm.input.push(bias.to_owned());
        gemm.output = graph.node[add].output.clone();
        model.graph_mut().node.remove(add);
    }
    model.graph_mut().node[index] = gemm;
}

/// Transposes the weight of the Gemm at `index`.
fn transpose(model: &mut Model, index: usize) -> Result<(), CanonicalError> {
    let name = model.nodes()[index].input[1].clone();
    let (shape, values) = model.initializer_f32(&name)?;
    let [rows, columns] = shape[..] else {
        return Ok(());
    };
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    let graph = model.graph();
    let name = if only_reader(graph, &name) {
        name
    } else {
        fresh(graph, &name)
    };
    model.set_initializer_f32(&name, &[columns, rows], &turned);
    let node = &mut model.graph_mut().node[index];
    name.clone_into(&mut node.input[1]);
    *node = std::mem::take(node).attr_int("transB", 1);
    Ok(())
}
