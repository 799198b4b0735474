//! One of the two graphs: its values that depend on the image, and the quantized tensor behind each dequantized value.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use tailfold_onnx::proto::{DataType, NodeProto};
use tailfold_onnx::{Model, canonical};

/// A graph with one input and one output, in the quantizer's form.
pub(super) struct Side {
    pub(super) model: Model,
    pub(super) input: String,
    pub(super) output: String,
    /// Values that do not depend on the image.
    constants: BTreeSet<String>,
    /// Values of type f32.
    floats: BTreeSet<String>,
    /// For each dequantized value, the tensor that was quantized.
    roots: BTreeMap<String, String>,
    /// Index of the node that computes a value.
    producers: BTreeMap<String, usize>,
}

/// The nodes that a computation needs.
pub(super) struct Needed {
    /// Indices of nodes.
    pub(super) nodes: BTreeSet<usize>,
    /// Whether the image is needed too.
    pub(super) image: bool,
}

impl Side {
    /// Prepares the graph of `model`. `ports` are new names for its input and output, if given; `file` is its file in
    /// messages.
    pub(super) fn of(
        model: &Model,
        ports: Option<(&str, &str)>,
        file: &str,
    ) -> anyhow::Result<Self> {
        let mut model = model.clone();
        canonical(&mut model, None).with_context(|| file.to_owned())?;
        let port = |found: Result<&str, tailfold_onnx::OnnxError>| {
            found.map(str::to_owned).with_context(|| file.to_owned())
        };
        let mut input = port(model.input().map(|i| i.name()))?;
        let mut output = port(model.output().map(|o| o.name()))?;
        if let Some((as_input, as_output)) = ports {
            for (name, wanted) in [(&mut input, as_input), (&mut output, as_output)] {
                rename(&mut model, name, wanted).with_context(|| file.to_owned())?;
                wanted.clone_into(name);
            }
        }
        let initializers = &model.graph().initializer;
        let float = initializers
            .iter()
            .filter(|t| t.element() == Some(DataType::Float));
        let mut side = Self {
            constants: initializers.iter().map(|t| t.name().to_owned()).collect(),
            floats: float.map(|t| t.name().to_owned()).collect(),
            roots: BTreeMap::new(),
            producers: BTreeMap::new(),
            input,
            output,
            model,
        };
        side.floats.insert(side.input.clone());
        for index in 0..side.model.nodes().len() {
            side.walk(index);
        }
        Ok(side)
    }

    fn walk(&mut self, index: usize) {
        let node = &self.model.nodes()[index];
        let is_constant = node.input.iter().all(|i| self.is_constant(i));
        let is_float = match node.op_type() {
            "Shape" | "QuantizeLinear" => false,
            "DequantizeLinear" => true,
            "Cast" => node.int("to") == Some(i64::from(i32::from(DataType::Float))),
            _ => node.input.first().is_some_and(|i| self.floats.contains(i)),
        };
        let root = self
            .quantized_by(node)
            .and_then(|quantize| quantize.input.first())
            .map(|tensor| self.root(tensor).to_owned());
        for output in node.output.clone() {
            if is_constant {
                self.constants.insert(output.clone());
            }
            if is_float {
                self.floats.insert(output.clone());
            }
            if let Some(root) = &root {
                self.roots.insert(output.clone(), root.clone());
            }
            self.producers.insert(output, index);
        }
    }

    /// Returns the QuantizeLinear before the DequantizeLinear `node`; `None` if its value does not depend on the image.
    pub(super) fn quantized_by(&self, node: &NodeProto) -> Option<&NodeProto> {
        let codes = node
            .is("DequantizeLinear")
            .then(|| node.input.first())
            .flatten()?;
        let quantize = self.producer(codes)?;
        (quantize.is("QuantizeLinear") && !self.is_constant(codes)).then_some(quantize)
    }

    /// Whether `value` does not depend on the image; true for an omitted input.
    pub(super) fn is_constant(&self, value: &str) -> bool {
        value.is_empty() || self.constants.contains(value)
    }

    /// Returns the tensor that was quantized to `value`, or `value` itself.
    pub(super) fn root<'a>(&'a self, value: &'a str) -> &'a str {
        self.roots.get(value).map_or(value, String::as_str)
    }

    /// Returns the node that computes `value`.
    pub(super) fn producer(&self, value: &str) -> Option<&NodeProto> {
        Some(&self.model.nodes()[*self.producers.get(value)?])
    }

    /// Returns the f32 values that depend on the image, without dequantized values, in the order of their computation.
    pub(super) fn tensors(&self) -> Vec<&str> {
        let made = self.model.nodes().iter().flat_map(|n| &n.output);
        let made = made.filter(|value| {
            self.floats.contains(*value)
                && !self.is_constant(value)
                && !self.roots.contains_key(*value)
        });
        std::iter::once(&self.input)
            .chain(made)
            .map(String::as_str)
            .collect()
    }

    /// Returns the nodes that `ends` need if the value `given` is already known.
    pub(super) fn needed(&self, ends: &[&str], given: &str) -> Needed {
        let mut needed = Needed {
            nodes: BTreeSet::new(),
            image: false,
        };
        let mut open: Vec<&str> = ends.to_vec();
        while let Some(value) = open.pop() {
            if value == given {
                continue;
            }
            needed.image |= value == self.input;
            if let Some(&index) = self.producers.get(value)
                && needed.nodes.insert(index)
            {
                let node = &self.model.nodes()[index];
                open.extend(node.input.iter().map(String::as_str));
            }
        }
        needed
    }
}

/// Renames the value `from` to `to`.
fn rename(model: &mut Model, from: &str, to: &str) -> anyhow::Result<()> {
    if from == to {
        return Ok(());
    }
    let graph = model.graph_mut();
    let is_taken = graph.producer(to).is_some() || graph.find_value(to).is_some();
    ensure!(
        !is_taken,
        "`{from}` is `{to}` in the other model, but here another value has that name"
    );
    let values = graph.node.iter_mut();
    let values = values.flat_map(|n| n.input.iter_mut().chain(&mut n.output));
    for value in values.filter(|value| *value == from) {
        to.clone_into(value);
    }
    for port in graph.input.iter_mut().chain(&mut graph.output) {
        if port.name() == from {
            port.name = Some(to.to_owned());
        }
    }
    Ok(())
}
