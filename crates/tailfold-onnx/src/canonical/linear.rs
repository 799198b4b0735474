//! Linear layers as `Gemm(x, W, b)` with `transB = 1` and `W` of shape `[out, in]`, the output channel first as in a
//! convolution. The factors `alpha` and `beta` are folded into `W` and `b`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::Shapes;
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, OnnxError};

/// Rewrites each Gemm with a constant f32 weight, and each MatMul of a matrix with a constant matrix, together with an
/// Add of a constant after it. `shapes` gives the ranks that the file does not declare.
pub(super) fn to_gemm(model: &mut Model, shapes: &Shapes) -> Result<(), OnnxError> {
    if !has_linear(model.graph()) {
        return Ok(());
    }
    let wires = Wires::of(model.graph());
    let mut weights = Weights {
        names: Fresh::of(model.graph()),
        wires: &wires,
        copies: BTreeMap::new(),
    };
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
                .is_some_and(|w| w.dims.len() == 2 && w.element() == Some(DataType::Float));
        if constant_matrix {
            without_factors(model, &mut weights, index)?;
            transpose(model, &mut weights, index)?;
        }
    }
    let mut index = 0;
    model.graph_mut().node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    Ok(())
}

/// Whether a MatMul or Gemm has a constant factor; saves an index of the graph where there is none, as in a quantized file.
fn has_linear(graph: &GraphProto) -> bool {
    let constants: HashSet<&str> = graph.initializer.iter().map(TensorProto::name).collect();
    let mut linear = graph.node.iter().filter(|n| n.is("MatMul") || n.is("Gemm"));
    linear.any(|n| {
        n.input
            .iter()
            .take(2)
            .any(|i| constants.contains(i.as_str()))
    })
}

/// The MatMul at `index` as a Gemm without a bias, if it multiplies a matrix by a constant matrix.
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

/// True if `value` has rank 2: the file or shape inference says so, the operator that produces it always returns a
/// matrix, or operators that keep the rank lead from `node` to a value of rank 2.
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
    // A vector plus a constant of shape [1, n] is a matrix, so only a constant of shape [n] keeps the rank.
    let keeps_rank = |next: &NodeProto| {
        let constant = adds_constant(graph, wires, next).and_then(|c| wires.constant(c));
        constant.is_some_and(|c| graph.initializer[c].dims.len() == 1)
    };
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
                    || keeps_rank(next) =>
            {
                at = next;
            }
            _ => return false,
        }
    }
    false
}

/// Name of the constant of shape `[n]` or `[1, n]` that `node` adds.
fn adds_constant<'a>(graph: &GraphProto, wires: &Wires, node: &'a NodeProto) -> Option<&'a str> {
    let row = |name: &&String| {
        let tensor = wires.constant(name).map(|t| &graph.initializer[t]);
        tensor.is_some_and(|t| matches!(t.dims[..], [_] | [1, _]))
    };
    let constant = node.input.iter().find(row)?;
    node.is("Add").then_some(constant)
}

/// Puts `gemm` at `index`. If its output is read by an Add of a constant alone, the constant becomes the bias of
/// `gemm`; returns the index of that Add, which is to be removed.
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

/// A change of a constant that several nodes may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// Multiplied by the f32 with these bits.
    Scaled(u32),
    Transposed,
}

/// Changed constants.
struct Weights<'a> {
    names: Fresh,
    wires: &'a Wires,
    /// Names of the changed copies of shared constants, by the name of the constant.
    copies: BTreeMap<(String, Change), String>,
}

impl Weights<'_> {
    /// Puts the constant `name` with `change`, whose shape and values `compute` returns, into `model`, and returns its
    /// name. A constant that one node alone reads keeps its name; a shared one gets one copy per change.
    fn changed(
        &mut self,
        model: &mut Model,
        name: &str,
        change: Change,
        compute: impl Fn(&Model) -> Result<(Vec<usize>, Vec<f32>), OnnxError>,
    ) -> Result<String, OnnxError> {
        let key = (name.to_owned(), change);
        if let Some(copy) = self.copies.get(&key) {
            return Ok(copy.clone());
        }
        let (shape, values) = compute(model)?;
        let own = self.wires.only_reader(name).is_some();
        let new = if own {
            name.to_owned()
        } else {
            self.names.name(name)
        };
        model.set_initializer_f32(&new, &shape, &values);
        if !own {
            self.copies.insert(key, new.clone());
        }
        Ok(new)
    }
}

/// Multiplies the weight of the Gemm at `index` by `alpha`, and its constant bias by `beta`, if they are not 1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the only rounding of the product to f32"
)]
fn without_factors(
    model: &mut Model,
    weights: &mut Weights,
    index: usize,
) -> Result<(), OnnxError> {
    for (input, attribute) in [(1, "alpha"), (2, "beta")] {
        let node = &model.nodes()[index];
        let factor = node.float(attribute).unwrap_or(1.0);
        let name = node.input.get(input).filter(|n| !n.is_empty());
        if factor.to_bits() == 1.0_f32.to_bits() {
            continue;
        }
        if let Some(name) = name.cloned() {
            if weights.wires.constant(&name).is_none() {
                continue;
            }
            let change = Change::Scaled(factor.to_bits());
            let name = weights.changed(model, &name, change, |model| {
                let (shape, mut values) = model.initializer_f32(&name)?;
                for value in &mut values {
                    *value = (f64::from(*value) * f64::from(factor)) as f32;
                }
                Ok((shape, values))
            })?;
            model.graph_mut().node[index].input[input] = name;
        }
        let node = &mut model.graph_mut().node[index];
        node.attribute.retain(|a| a.name() != attribute);
    }
    Ok(())
}

/// Transposes the weight of the Gemm at `index` to `[out, in]`, if it is `[in, out]`.
fn transpose(model: &mut Model, weights: &mut Weights, index: usize) -> Result<(), OnnxError> {
    if model.nodes()[index].int("transB").unwrap_or(0) != 0 {
        return Ok(());
    }
    let name = model.nodes()[index].input[1].clone();
    let name = weights.changed(model, &name, Change::Transposed, |model| {
        let (shape, values) = model.initializer_f32(&name)?;
        let [rows, columns] = shape[..] else {
            return Ok((shape, values));
        };
        let mut turned = Vec::with_capacity(values.len());
        for column in 0..columns {
            turned.extend((0..rows).map(|row| values[row * columns + column]));
        }
        Ok((vec![columns, rows], turned))
    })?;
    let node = &mut model.graph_mut().node[index];
    name.clone_into(&mut node.input[1]);
    *node = std::mem::take(node).attr_int("transB", 1);
    Ok(())
}
