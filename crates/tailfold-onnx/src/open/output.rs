//! The output of a classifier: the kind of its scores, and the network without the Softmax or Sigmoid at its end.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_spec::ScoreKind;

use end::{End, after, computing};

use crate::proto::{DataType, NodeProto, TensorProto, TensorType, TypeValue, ValueInfoProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, OnnxError, Shapes};

mod end;

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

/// Operators that produce logits: a Softmax or Sigmoid before such an operator is not at the end of the classifier.
const ENDS: [&str; 3] = ["Conv", "DequantizeLinear", "Gemm"];

impl OutputPort {
    /// Name of the file's output.
    pub fn name(&self) -> &str {
        self.original.name()
    }

    /// Removes the Softmax or Sigmoid at the end of `model`, makes its logits f32, and returns the port of the file.
    /// `infer` is called if the file does not declare the shape of the scores.
    pub(super) fn detach(
        model: &mut Model,
        infer: &dyn Fn(&Model) -> Shapes,
    ) -> Result<Self, OnnxError> {
        let mut port = Self::logits(model, infer)?;
        let element = port.original.element().unwrap_or(DataType::Float);
        if [DataType::Float16, DataType::Bfloat16].contains(&element) {
            port.widen(model, element)?;
        }
        Ok(port)
    }

    /// Appends a Cast to f32 to `model`, and a Cast back to `element` to the tail.
    fn widen(&mut self, model: &mut Model, element: DataType) -> Result<(), OnnxError> {
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
    fn logits(model: &mut Model, infer: &dyn Fn(&Model) -> Shapes) -> Result<Self, OnnxError> {
        let original = model.output()?.clone();
        let graph = model.graph();
        let mut port = Self {
            kind: ScoreKind::Logit,
            original: original.clone(),
            logits: original.name().to_owned(),
            tail: Vec::new(),
            constants: Vec::new(),
        };
        // Most files end in the layer that makes the logits.
        let last = graph.producer(original.name());
        if last.is_none_or(|n| ENDS.iter().any(|op| n.is(op))) {
            return Ok(port);
        }
        let wires = Wires::of(graph);
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

#[cfg(test)]
mod tests;
