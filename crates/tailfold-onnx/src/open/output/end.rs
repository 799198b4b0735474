//! Recognition of the end of a classifier: the node that computes its scores, and the nodes after it.

use std::collections::BTreeSet;

use tailfold_spec::ScoreKind;

use crate::proto::{GraphProto, NodeProto};
use crate::wires::Wires;
use crate::{Model, Shapes};

/// Operators that change only the shape or the type of the scores.
const SHAPES: [&str; 6] = [
    "Identity",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Cast",
];

/// Walks backwards from the value `output` over changes of shape and type to the node that computes the scores. Returns
/// the index of that node and the indices of the nodes passed; `None` if another node than Shape reads a value on the
/// way.
pub(super) fn computing(
    graph: &GraphProto,
    wires: &Wires,
    output: &str,
) -> Option<(usize, Vec<usize>)> {
    let mut chain = Vec::new();
    let mut value = output;
    loop {
        let at = wires.maker(value)?;
        let node = &graph.node[at];
        let reads = wires.readers(value).iter();
        let reads = reads.filter(|&&r| !graph.node[r].is("Shape")).count();
        if !chain.is_empty() && reads != 1 {
            return None;
        }
        if !SHAPES.iter().any(|op| node.is(op)) {
            return Some((at, chain));
        }
        chain.push(at);
        value = node.input.first()?;
    }
}

/// Indices of the nodes that depend on the node `at`, ascending.
pub(super) fn after(graph: &GraphProto, at: usize) -> Vec<usize> {
    let named = |node: &'_ NodeProto| -> Vec<String> {
        let outputs = node.output.iter().filter(|o| !o.is_empty());
        outputs.cloned().collect()
    };
    let mut made: BTreeSet<String> = named(&graph.node[at]).into_iter().collect();
    let mut after = Vec::new();
    for (index, node) in graph.node.iter().enumerate().skip(at + 1) {
        if node.input.iter().any(|i| made.contains(i)) {
            made.extend(named(node));
            after.push(index);
        }
    }
    after
}

/// The end of a classifier: the node that computes its scores from the logits.
pub(super) struct End {
    pub(super) kind: ScoreKind,
    /// Name of the logits.
    pub(super) logits: String,
    /// The Softmax, LogSoftmax or Sigmoid, with its axis as an attribute: the default axis depends on the opset.
    pub(super) node: NodeProto,
    /// Indices of other nodes that belong to it.
    pub(super) parts: Vec<usize>,
}

impl End {
    /// The end of the classifier whose scores `node` computes; `None` when they are not probabilities over the classes.
    pub(super) fn of(
        model: &Model,
        wires: &Wires,
        node: &NodeProto,
        infer: &dyn Fn(&Model) -> Shapes,
    ) -> Option<Self> {
        let mut end = match softmax_by_parts(model.graph(), wires, node) {
            Some((logits, axis, parts)) => {
                let softmax =
                    NodeProto::new("Softmax", node.label(), [&logits], node.output.clone());
                Self {
                    kind: ScoreKind::Probability,
                    logits,
                    node: softmax.attr_int("axis", axis),
                    parts,
                }
            }
            None => Self {
                kind: match node.op_type() {
                    "Softmax" if node.is("Softmax") => ScoreKind::Probability,
                    "LogSoftmax" if node.is("LogSoftmax") => ScoreKind::LogProbability,
                    "Sigmoid" if node.is("Sigmoid") => ScoreKind::IndependentProbability,
                    _ => return None,
                },
                logits: node.input.first().filter(|i| !i.is_empty())?.clone(),
                node: node.clone(),
                parts: Vec::new(),
            },
        };
        if end.kind != ScoreKind::IndependentProbability {
            let axis = end.node.int("axis").unwrap_or(-1);
            if !over_classes(model, wires, &end.node, axis, infer) {
                return None;
            }
            end.node = end.node.attr_int("axis", axis);
        }
        Some(end)
    }
}

/// Matches a softmax `e / sum(e)` with `e = exp(x)` or `e = exp(x - max(x))` that ends in the Div `node`. Returns the
/// name of the logits `x`, the axis of the sum and the maximum, and the indices of the other nodes.
fn softmax_by_parts(
    graph: &GraphProto,
    wires: &Wires,
    node: &NodeProto,
) -> Option<(String, i64, Vec<usize>)> {
    // The node `op` that makes `value`, if nodes of the softmax alone read the value.
    let maker = |value: &String, op: &str, reads: usize| {
        let at = wires.maker(value)?;
        (graph.node[at].is(op) && wires.readers(value).len() == reads).then_some(at)
    };
    let [powers, sum] = &node.input[..] else {
        return None;
    };
    let exp = maker(powers, "Exp", 2).filter(|_| node.is("Div"))?;
    let summed =
        maker(sum, "ReduceSum", 1).filter(|&s| graph.node[s].input.first() == Some(powers))?;
    let axis = one_axis(graph, wires, &graph.node[summed])?;
    let mut parts = vec![exp, summed];
    let shifted = graph.node[exp].input.first()?;
    let logits = match maker(shifted, "Sub", 1) {
        None => shifted,
        Some(sub) => {
            let [x, top] = &graph.node[sub].input[..] else {
                return None;
            };
            let top =
                maker(top, "ReduceMax", 1).filter(|&m| graph.node[m].input.first() == Some(x))?;
            if one_axis(graph, wires, &graph.node[top])? != axis {
                return None;
            }
            parts.extend([sub, top]);
            x
        }
    };
    Some((logits.clone(), axis, parts))
}

/// The axis of a reduction along one constant axis that keeps the rank.
fn one_axis(graph: &GraphProto, wires: &Wires, node: &NodeProto) -> Option<i64> {
    let axes = match node.ints("axes") {
        Some(axes) => axes.to_vec(),
        None => graph.initializer[wires.constant(node.input.get(1)?)?]
            .values::<i64>()
            .ok()?,
    };
    let &[axis] = &axes[..] else { return None };
    (node.int("keepdims").unwrap_or(1) != 0).then_some(axis)
}

/// Whether `axis` of the Softmax `node` is the class axis: all other axes except the batch have length 1.
fn over_classes(
    model: &Model,
    wires: &Wires,
    node: &NodeProto,
    axis: i64,
    infer: &dyn Fn(&Model) -> Shapes,
) -> bool {
    let graph = model.graph();
    let ends = || node.output.iter().take(1).chain(node.input.first());
    let inferred = || {
        let shapes = infer(model);
        let shape = ends().find_map(|name| shapes.get(name))?;
        Some(shape.iter().map(|&d| Some(d)).collect())
    };
    let declared: Option<Vec<Option<usize>>> =
        ends().find_map(|name| graph.find_value(name)?.shape());
    let Some(shape) = declared.or_else(inferred) else {
        let flat = node.input.first().and_then(|logits| wires.maker(logits));
        let flat = flat.map(|at| &graph.node[at]).filter(|n| n.is("Flatten"));
        // A Flatten at axis 2 or later makes the channels rows, not classes.
        let rows = flat.is_none_or(|n| matches!(n.int("axis").unwrap_or(1), 0 | 1));
        return rows && matches!(axis, -1 | 1);
    };
    let Ok(at) = crate::eval::from_front(axis, shape.len()) else {
        return false;
    };
    let others = shape.iter().enumerate().skip(1);
    at > 0 && others.filter(|(i, _)| *i != at).all(|(_, &d)| d == Some(1))
}
