//! The output of a classifier: the kind of its scores, and the network without the Softmax or Sigmoid at its end.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_spec::ScoreKind;

use super::OpenError;
use crate::proto::{
    DataType, GraphProto, NodeProto, TensorProto, TensorType, TypeValue, ValueInfoProto,
};
use crate::wires::{Fresh, Wires};
use crate::{Model, Shapes};

/// The output of a file, with the nodes between the logits and the output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPort {
    /// Kind of the scores at the file's output.
    pub kind: ScoreKind,
    original: ValueInfoProto,
    /// Name under which the nodes of `tail` read the logits.
    logits: String,
    /// Nodes from the logits to the output, the Softmax or Sigmoid first; empty when the file ends in f32 logits.
    tail: Vec<NodeProto>,
    /// Constants that these nodes read.
    constants: Vec<TensorProto>,
}

/// Operators that change only the shape or the type of the scores.
const SHAPES: [&str; 6] = [
    "Identity",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Cast",
];

impl OutputPort {
    /// Removes the Softmax or Sigmoid at the end of `model`, makes its logits f32, and returns the port of the file.
    /// `infer` is called if the file does not declare the shape of the scores.
    pub(super) fn detach(
        model: &mut Model,
        infer: &dyn Fn(&Model) -> Shapes,
    ) -> Result<Self, OpenError> {
        let mut port = Self::logits(model, infer)?;
        let element = port.original.element().unwrap_or(DataType::Float);
        if [DataType::Float16, DataType::Bfloat16].contains(&element) {
            port.widen(model, element)?;
        }
        Ok(port)
    }

    /// Appends a Cast to f32 to `model`, and a Cast back to `element` to the tail.
    fn widen(&mut self, model: &mut Model, element: DataType) -> Result<(), OpenError> {
        let mut output = model.output()?.clone();
        let graph = model.graph_mut();
        let mut names = Fresh::of(graph);
        for made in self.tail.iter().flat_map(|n| &n.output) {
            names.name(made);
        }
        let wide = names.name(&format!("{}.float", output.name()));
        let mut narrow = output.name().to_owned();
        if narrow == self.original.name() {
            // The restored output takes this name.
            narrow = names.name(&format!("{narrow}.narrow"));
            rename(&mut graph.node, self.original.name(), &narrow);
        }
        let to = |element: DataType| i64::from(i32::from(element));
        graph.node.push(
            NodeProto::new("Cast", names.name(&wide), [&narrow], [&wide])
                .attr_int("to", to(DataType::Float)),
        );
        output.name = Some(wide.clone());
        if let Some(TypeValue::Tensor(tensor)) =
            output.r#type.as_mut().and_then(|t| t.value.as_mut())
        {
            tensor.elem_type = Some(DataType::Float.into());
        }
        graph.output = vec![output];
        rename(&mut self.tail, &self.logits, &wide);
        let scores = if self.tail.is_empty() {
            wide.clone()
        } else {
            let scores = names.name(&format!("{}.float", self.original.name()));
            rename(&mut self.tail, self.original.name(), &scores);
            scores
        };
        self.logits = wide;
        self.tail.push(
            NodeProto::new(
                "Cast",
                names.name("output.cast"),
                [scores],
                [self.original.name()],
            )
            .attr_int("to", to(element)),
        );
        Ok(())
    }

    /// Removes the Softmax or Sigmoid at the end of `model`, if there is one, so that its logits become the output.
    fn logits(model: &mut Model, infer: &dyn Fn(&Model) -> Shapes) -> Result<Self, OpenError> {
        let original = model.output()?.clone();
        let graph = model.graph();
        let wires = Wires::of(graph);
        let mut port = Self {
            kind: ScoreKind::Logit,
            original: original.clone(),
            logits: original.name().to_owned(),
            tail: Vec::new(),
            constants: Vec::new(),
        };
        let Some((at, chain)) = computing(graph, &wires, original.name()) else {
            return Ok(port);
        };
        let Some(end) = End::of(model, &wires, &graph.node[at], infer) else {
            return Ok(port);
        };
        port.kind = end.kind;
        // All nodes after the scores; the ones that do not lead to the output have no effect.
        let after = after(graph, at);
        let mut needed = BTreeSet::from([original.name()]);
        let mut tail: Vec<usize> = Vec::new();
        for &i in after.iter().rev() {
            let node = &graph.node[i];
            if node.output.iter().any(|o| needed.contains(o.as_str())) {
                needed.extend(node.input.iter().map(String::as_str));
                tail.push(i);
            }
        }
        let casts = chain.iter().rev().filter(|&&i| graph.node[i].is("Cast"));
        let casts: Vec<NodeProto> = casts.map(|&i| graph.node[i].clone()).collect();
        tail.retain(|i| !(chain.contains(i) && graph.node[*i].is("Cast")));
        let tail = tail.iter().rev().map(|&i| graph.node[i].clone());
        port.tail = std::iter::once(end.node).chain(tail).collect();
        for cast in &casts {
            rename(&mut port.tail, &cast.input[0], &cast.output[0]);
        }
        let read = port.tail.iter().flat_map(|n| &n.input);
        port.constants = read
            .filter_map(|name| Some(graph.initializer[wires.constant(name)?].clone()))
            .collect();
        let mut gone = end.parts;
        gone.push(at);
        gone.extend(&after);
        let graph = model.graph_mut();
        let mut index = 0;
        graph.node.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
        port.logits.clone_from(&end.logits);
        // A half-precision network may cast its probabilities to f32; then its logits need the same Cast.
        if let Some(cast) = casts.into_iter().next() {
            port.logits = Fresh::of(graph).name(&format!("{}.logits", end.logits));
            port.tail[0].input[0].clone_from(&port.logits);
            graph.node.push(NodeProto {
                input: vec![end.logits],
                output: vec![port.logits.clone()],
                ..cast
            });
        }
        let mut output = original;
        if !after.is_empty() {
            // The declared shape is the shape after the tail's reshapes, not the shape of the logits.
            if let Some(crate::proto::TypeValue::Tensor(TensorType { shape, .. })) =
                output.r#type.as_mut().and_then(|t| t.value.as_mut())
            {
                *shape = None;
            }
        }
        output.name = Some(port.logits.clone());
        graph.output = vec![output];
        Ok(port)
    }

    /// Appends the nodes between the logits and the output.
    pub(super) fn restore(&self, model: &mut Model) {
        if self.tail.is_empty() {
            return;
        }
        let Ok(logits) = model.output().map(|o| o.name().to_owned()) else {
            return;
        };
        let graph = model.graph_mut();
        for constant in &self.constants {
            if graph.find_initializer(constant.name()).is_none() {
                graph.initializer.push(constant.clone());
            }
        }
        let mut names = Fresh::of(graph);
        let mut now = BTreeMap::from([(self.logits.as_str(), logits)]);
        for node in &self.tail {
            let mut copy = node.clone();
            for input in &mut copy.input {
                if let Some(name) = now.get(input.as_str()) {
                    name.clone_into(input);
                }
            }
            for (output, made) in copy.output.iter_mut().zip(&node.output) {
                if !made.is_empty() && made != self.original.name() {
                    *output = names.name(made);
                    now.insert(made, output.clone());
                }
            }
            graph.node.push(copy);
        }
        graph.output = vec![self.original.clone()];
    }
}

/// Renames the value `from` in all inputs and outputs of `nodes`.
fn rename(nodes: &mut [NodeProto], from: &str, to: &str) {
    for node in nodes {
        for name in node.input.iter_mut().chain(&mut node.output) {
            if name == from {
                to.clone_into(name);
            }
        }
    }
}

/// Walks backwards from the value `output` over changes of shape and type to the node that computes the scores. Returns
/// the index of that node and the indices of the nodes passed; `None` if another node than Shape reads a value on the
/// way.
fn computing(graph: &GraphProto, wires: &Wires, output: &str) -> Option<(usize, Vec<usize>)> {
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
fn after(graph: &GraphProto, at: usize) -> Vec<usize> {
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
struct End {
    kind: ScoreKind,
    /// Name of the logits.
    logits: String,
    /// The Softmax, LogSoftmax or Sigmoid, with its axis as an attribute: the default axis depends on the opset.
    node: NodeProto,
    /// Indices of other nodes that belong to it.
    parts: Vec<usize>,
}

impl End {
    /// The end of the classifier whose scores `node` computes; `None` when they are not probabilities over the classes.
    fn of(
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

#[cfg(test)]
mod tests;
