//! The output of a classifier: what its scores are, and the network that ends in logits.

use tailfold_spec::ScoreKind;

use super::OpenError;
use crate::Model;
use crate::proto::{
    DataType, GraphProto, NodeProto, TensorProto, TensorType, TypeValue, ValueInfoProto,
};
use crate::wires::{Fresh, Wires};

/// The output of a file, and the nodes between the logits and it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPort {
    /// What the numbers at the file's output are.
    pub kind: ScoreKind,
    original: ValueInfoProto,
    /// From the logits to the output, the first of them makes probabilities; empty where the file ends in logits.
    tail: Vec<NodeProto>,
    /// Constants that those nodes read.
    constants: Vec<TensorProto>,
}

/// Operators that hand the scores on in another shape or type.
const SHAPES: [&str; 6] = [
    "Identity",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Cast",
];

impl OutputPort {
    /// Takes the softmax or sigmoid at the end of `model` off, and makes its logits f32.
    pub(super) fn detach(model: &mut Model) -> Result<Self, OpenError> {
        let mut port = Self::logits(model)?;
        let element = port.original.element().unwrap_or(DataType::Float);
        if [DataType::Float16, DataType::Bfloat16].contains(&element) {
            port.widen(model, element)?;
        }
        Ok(port)
    }

    /// Puts a Cast to f32 behind the logits of `model`, and one back to `element` at the end of the tail.
    fn widen(&mut self, model: &mut Model, element: DataType) -> Result<(), OpenError> {
        let mut output = model.output()?.clone();
        let graph = model.graph_mut();
        let mut names = Fresh::of(graph);
        let narrow = output.name().to_owned();
        let wide = names.name(&format!("{narrow}.float"));
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
        if let Some(last) = self.tail.last_mut() {
            last.output = vec![names.name(&format!("{}.float", self.original.name()))];
        }
        self.tail.push(
            NodeProto::new(
                "Cast",
                names.name("output.cast"),
                [wide],
                [self.original.name()],
            )
            .attr_int("to", to(element)),
        );
        Ok(())
    }

    fn logits(model: &mut Model) -> Result<Self, OpenError> {
        let original = model.output()?.clone();
        let graph = model.graph();
        let wires = Wires::of(graph);
        let mut port = Self {
            kind: ScoreKind::Logit,
            original: original.clone(),
            tail: Vec::new(),
            constants: Vec::new(),
        };
        // Backwards over other shapes, to what makes the scores.
        let mut tail = Vec::new();
        let mut value = original.name().to_owned();
        while let Some(at) = wires.maker(&value) {
            let node = &graph.node[at];
            let alone = tail.is_empty() || wires.only_reader(&value).is_some();
            if !alone || !SHAPES.iter().any(|op| node.is(op)) {
                break;
            }
            tail.push(at);
            value = node.input.first().cloned().unwrap_or_default();
        }
        let Some(at) = wires.maker(&value) else {
            return Ok(port);
        };
        let node = &graph.node[at];
        let alone = tail.is_empty() || wires.only_reader(&value).is_some();
        let by_parts = softmax_by_parts(graph, &wires, node);
        let kind = match &by_parts {
            Some(_) => Some(ScoreKind::Probability),
            None => kind(model, node),
        };
        let Some(kind) = kind.filter(|_| alone && !node.input.is_empty()) else {
            return Ok(port);
        };
        port.kind = kind;
        let (logits, first, parts) = match by_parts {
            Some((logits, parts)) => {
                let softmax =
                    NodeProto::new("Softmax", node.label(), [&logits], node.output.clone());
                (logits, softmax.attr_int("axis", -1), parts)
            }
            None => (node.input[0].clone(), with_axis(node), Vec::new()),
        };
        port.tail.push(first);
        port.tail
            .extend(tail.iter().rev().map(|&i| graph.node[i].clone()));
        let read = port.tail.iter().flat_map(|n| n.input.iter().skip(1));
        port.constants = read
            .filter_map(|name| Some(graph.initializer[wires.constant(name)?].clone()))
            .collect();
        // The caller of a half-precision network reads f32: a Cast behind the softmax stands behind the logits then.
        let cast = port.tail.iter().find(|n| n.is("Cast")).cloned();
        let mut gone: Vec<usize> = tail;
        gone.push(at);
        gone.extend(parts);
        let declared = port.tail.len() == 1;
        let mut name = logits.clone();
        let graph = model.graph_mut();
        let mut index = 0;
        graph.node.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
        if let Some(cast) = cast {
            name = Fresh::of(graph).name(&format!("{logits}.logits"));
            graph.node.push(NodeProto {
                input: vec![logits],
                output: vec![name.clone()],
                ..cast
            });
            port.tail.retain(|n| !n.is("Cast"));
        }
        let mut output = original;
        if !declared {
            // The shape before the other shapes is another.
            if let Some(crate::proto::TypeValue::Tensor(TensorType { shape, .. })) =
                output.r#type.as_mut().and_then(|t| t.value.as_mut())
            {
                *shape = None;
            }
        }
        output.name = Some(name);
        graph.output = vec![output];
        Ok(port)
    }

    /// Puts the nodes behind the logits again.
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
        let mut value = logits;
        let last = self.tail.len() - 1;
        for (i, node) in self.tail.iter().enumerate() {
            let output = if i == last {
                self.original.name().to_owned()
            } else {
                names.name(node.output.first().map_or("", String::as_str))
            };
            let mut node = node.clone();
            node.input[0] = value;
            node.output = vec![output.clone()];
            graph.node.push(node);
            value = output;
        }
        graph.output = vec![self.original.clone()];
    }
}

/// A softmax of small operators that ends in the division `node`: the logits, and the indices of the nodes before it. `e / sum(e)`
/// with `e = exp(x)` or `e = exp(x - max(x))`.
fn softmax_by_parts(
    graph: &GraphProto,
    wires: &Wires,
    node: &NodeProto,
) -> Option<(String, Vec<usize>)> {
    let maker = |value: &String, op: &str| {
        let at = wires.maker(value)?;
        graph.node[at].is(op).then_some(at)
    };
    let [powers, sum] = &node.input[..] else {
        return None;
    };
    let exp = maker(powers, "Exp").filter(|_| node.is("Div"))?;
    let summed = maker(sum, "ReduceSum").filter(|&s| graph.node[s].input[0] == *powers)?;
    let mut parts = vec![exp, summed];
    let shifted = &graph.node[exp].input[0];
    let logits = match maker(shifted, "Sub") {
        None => shifted,
        Some(sub) => {
            let [x, top] = &graph.node[sub].input[..] else {
                return None;
            };
            let top = maker(top, "ReduceMax").filter(|&m| graph.node[m].input[0] == *x)?;
            parts.extend([sub, top]);
            x
        }
    };
    Some((logits.clone(), parts))
}

/// What `node`, which makes the scores, makes of its input; `None` when it does not make probabilities over classes.
fn kind(model: &Model, node: &NodeProto) -> Option<ScoreKind> {
    if node.is("Sigmoid") {
        return Some(ScoreKind::IndependentProbability);
    }
    let kind = match node.op_type() {
        "Softmax" => ScoreKind::Probability,
        "LogSoftmax" => ScoreKind::LogProbability,
        _ => return None,
    };
    let shape = |name: &str| model.graph().find_value(name).and_then(|v| v.shape());
    let shape = node
        .output
        .first()
        .and_then(|o| shape(o))
        .or_else(|| node.input.first().and_then(|i| shape(i)));
    let axis = node.int("axis").unwrap_or(-1);
    let over_classes = match shape {
        Some(shape) => {
            let rank = i64::try_from(shape.len()).ok()?;
            let axis = if axis < 0 { axis + rank } else { axis };
            // The axis of the classes: all others but the batch have one element.
            let others = shape.iter().enumerate().skip(1);
            (1..rank).contains(&axis)
                && others
                    .filter(|(i, _)| i64::try_from(*i) != Ok(axis))
                    .all(|(_, &d)| d == Some(1))
        }
        None => matches!(axis, -1 | 1),
    };
    over_classes.then_some(kind)
}

/// The node with the axis that it had by default, which later versions have another of.
fn with_axis(node: &NodeProto) -> NodeProto {
    if node.is("Sigmoid") {
        return node.clone();
    }
    let axis = node.int("axis").unwrap_or(-1);
    node.clone().attr_int("axis", axis)
}

#[cfg(test)]
mod tests;
