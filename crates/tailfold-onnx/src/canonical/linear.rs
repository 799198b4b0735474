//! Linear layers as `Gemm(x, W, b)` with `W` of shape `[out, in]`, the output channel first as in a convolution, and
//! without factors.

use std::collections::BTreeSet;

use super::CanonicalError;
use crate::Model;
use crate::Shapes;
use crate::proto::{GraphProto, NodeProto};
use crate::wires::{Fresh, Wires};

/// Rewrites Gemm with a constant weight, and MatMul of a matrix with a constant one, together with the addition of a constant
/// after it. `shapes` tells the rank of values that the file says nothing of.
pub(super) fn to_gemm(model: &mut Model, shapes: &Shapes) -> Result<(), CanonicalError> {
    let wires = Wires::of(model.graph());
    let mut names = Fresh::of(model.graph());
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for index in 0..model.nodes().len() {
        if gone.contains(&index) {
            continue;
        }
        if let Some(gemm) = gemm_of(model.graph(), &wires, index, shapes) {
            gone.extend(join_bias(model, &wires, index, gemm));
        }
        let node = &model.nodes()[index];
        let constant_matrix = node.is("Gemm")
            && node.int("transA").unwrap_or(0) == 0
            && node
                .input
                .get(1)
                .and_then(|w| model.graph().find_initializer(w))
                .is_some_and(|w| w.dims.len() == 2);
        if constant_matrix {
            without_factors(model, &wires, &mut names, index)?;
            transpose(model, &wires, &mut names, index)?;
        }
    }
    let mut index = 0;
    model.graph_mut().node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    Ok(())
}

/// The MatMul at `index` as a Gemm without a bias, if it multiplies a matrix by a constant one.
fn gemm_of(graph: &GraphProto, wires: &Wires, index: usize, shapes: &Shapes) -> Option<NodeProto> {
    let node = &graph.node[index];
    if !node.is("MatMul") {
        return None;
    }
    let weight = wires.constant(node.input.get(1)?)?;
    let matrices = graph.initializer[weight].dims.len() == 2
        && is_matrix(graph, wires, node.input.first()?, node, shapes);
    matrices.then(|| NodeProto {
        op_type: Some("Gemm".to_owned()),
        ..node.clone()
    })
}

/// True when `value` has rank 2: the file or the runtime says so, its source always makes that, or the rank survives from
/// `node` to an output of rank 2.
fn is_matrix(
    graph: &GraphProto,
    wires: &Wires,
    value: &str,
    node: &NodeProto,
    shapes: &Shapes,
) -> bool {
    let rank = |name: &str| {
        let known = shapes.get(name).map(Vec::len);
        known.or_else(|| Some(graph.find_value(name)?.shape()?.len()))
    };
    if let Some(rank) = rank(value) {
        return rank == 2;
    }
    let maker = wires.maker(value).map(|m| &graph.node[m]);
    if maker.is_some_and(|n| n.is("Flatten") || n.is("Gemm")) {
        return true;
    }
    let mut at = node;
    while let Some(output) = at.output.first() {
        if let Some(rank) = rank(output) {
            return rank == 2;
        }
        match wires.only_reader(output).map(|r| &graph.node[r]) {
            Some(next)
                if ["Softmax", "LogSoftmax", "Sigmoid"]
                    .iter()
                    .any(|op| next.is(op))
                    || adds_constant(graph, wires, next).is_some() =>
            {
                at = next;
            }
            _ => return false,
        }
    }
    false
}

/// Name of the constant row that `node` adds.
fn adds_constant<'a>(graph: &GraphProto, wires: &Wires, node: &'a NodeProto) -> Option<&'a str> {
    let row = |name: &&String| {
        let tensor = wires.constant(name).map(|t| &graph.initializer[t]);
        tensor.is_some_and(|t| matches!(t.dims[..], [_] | [1, _]))
    };
    let constant = node.input.iter().find(row)?;
    node.is("Add").then_some(constant)
}

/// Puts `gemm` at `index`, with the addition of a constant to its output as its bias; the index of the addition, which is
/// not needed then.
fn join_bias(model: &mut Model, wires: &Wires, index: usize, mut gemm: NodeProto) -> Option<usize> {
    let graph = model.graph();
    let weight = graph.find_initializer(&gemm.input[1]);
    let classes = weight.and_then(|w| w.dims.last().copied()).unwrap_or(0);
    let add = wires.only_reader(&gemm.output[0]).filter(|&add| {
        adds_constant(graph, wires, &graph.node[add])
            .and_then(|bias| graph.find_initializer(bias))
            .is_some_and(|b| b.dims.last() == Some(&classes))
    });
    if let Some(add) = add {
        let bias = adds_constant(graph, wires, &graph.node[add]).unwrap_or_default();
        gemm.input.push(bias.to_owned());
        gemm.output.clone_from(&graph.node[add].output);
    }
    model.graph_mut().node[index] = gemm;
    add
}

/// Takes `alpha` into the weight and `beta` into the bias of the Gemm at `index`, where they are not 1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one rounding to f32 of a product in f64"
)]
fn without_factors(
    model: &mut Model,
    wires: &Wires,
    names: &mut Fresh,
    index: usize,
) -> Result<(), CanonicalError> {
    for (input, attribute) in [(1, "alpha"), (2, "beta")] {
        let node = &model.nodes()[index];
        let factor = node.float(attribute).unwrap_or(1.0);
        let name = node.input.get(input).filter(|n| !n.is_empty());
        if factor.to_bits() == 1.0_f32.to_bits() {
            continue;
        }
        if let Some(name) = name.cloned() {
            if wires.constant(&name).is_none() {
                continue;
            }
            let (shape, values) = model.initializer_f32(&name)?;
            let scaled: Vec<f32> = values
                .iter()
                .map(|&v| (f64::from(v) * f64::from(factor)) as f32)
                .collect();
            let name = own(wires, names, &name);
            model.set_initializer_f32(&name, &shape, &scaled);
            model.graph_mut().node[index].input[input] = name;
        }
        let node = &mut model.graph_mut().node[index];
        node.attribute.retain(|a| a.name() != attribute);
    }
    Ok(())
}

/// `name`, when one node alone reads it, or a new name for a copy.
fn own(wires: &Wires, names: &mut Fresh, name: &str) -> String {
    let copied = wires.constant(name).is_none();
    if copied || wires.only_reader(name).is_some() {
        name.to_owned()
    } else {
        names.name(name)
    }
}

/// Transposes the weight of the Gemm at `index`, where it is `[in, out]`.
fn transpose(
    model: &mut Model,
    wires: &Wires,
    names: &mut Fresh,
    index: usize,
) -> Result<(), CanonicalError> {
    if model.nodes()[index].int("transB").unwrap_or(0) != 0 {
        return Ok(());
    }
    let name = model.nodes()[index].input[1].clone();
    let (shape, values) = model.initializer_f32(&name)?;
    let [rows, columns] = shape[..] else {
        return Ok(());
    };
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    let name = own(wires, names, &name);
    model.set_initializer_f32(&name, &[columns, rows], &turned);
    let node = &mut model.graph_mut().node[index];
    name.clone_into(&mut node.input[1]);
    *node = std::mem::take(node).attr_int("transB", 1);
    Ok(())
}
