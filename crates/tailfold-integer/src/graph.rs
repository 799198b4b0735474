//! A graph with an index of the producers, readers and constants.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::proto::{NodeProto, TensorProto};
use tailfold_onnx::{Element, Model};

use crate::IntegerError;

pub(crate) struct Graph<'a> {
    pub(crate) nodes: &'a [NodeProto],
    producers: BTreeMap<&'a str, usize>,
    consumers: BTreeMap<&'a str, Vec<usize>>,
    constants: BTreeMap<&'a str, &'a TensorProto>,
    outputs: BTreeSet<&'a str>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let graph = model.graph();
        let mut wires = Self {
            nodes: &graph.node,
            producers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            constants: graph.initializer.iter().map(|t| (t.name(), t)).collect(),
            outputs: graph.output.iter().map(|o| o.name()).collect(),
        };
        for (index, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                wires.producers.insert(output, index);
                if node.is("Constant")
                    && let Some(tensor) = node.find_attr("value").and_then(|a| a.t.as_ref())
                {
                    wires.constants.insert(output, tensor);
                }
            }
            for input in node.input.iter().filter(|i| !i.is_empty()) {
                wires.consumers.entry(input).or_default().push(index);
            }
        }
        wires
    }

    /// Returns the node that produces `value`.
    pub(crate) fn producer(&self, value: &str) -> Option<usize> {
        self.producers.get(value).copied()
    }

    /// Returns the nodes that read `value`, one entry per read.
    pub(crate) fn consumers(&self, value: &str) -> &[usize] {
        self.consumers.get(value).map_or(&[], Vec::as_slice)
    }

    /// Returns the only node that reads `value`; `None` if `value` is an output of the graph or has other
    /// readers.
    pub(crate) fn only_consumer(&self, value: &str) -> Option<usize> {
        match *self.consumers(value) {
            [one] if !self.is_output(value) => Some(one),
            _ => None,
        }
    }

    pub(crate) fn is_output(&self, value: &str) -> bool {
        self.outputs.contains(value)
    }

    pub(crate) fn constant(&self, value: &str) -> Option<&'a TensorProto> {
        self.constants.get(value).copied()
    }

    /// Returns the values of the constant at input `index` of `node`; `None` when that input is not a
    /// constant.
    pub(crate) fn numbers<T: Element>(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Option<Vec<T>>, IntegerError> {
        let tensor = input(node, index).and_then(|name| self.constant(name));
        Ok(tensor.map(TensorProto::values).transpose()?)
    }
}

/// Returns input `index` of `node`; `None` when it is omitted.
pub(crate) fn input(node: &NodeProto, index: usize) -> Option<&str> {
    node.input
        .get(index)
        .map(String::as_str)
        .filter(|name| !name.is_empty())
}

/// Returns the first output of `node`.
pub(crate) fn output(node: &NodeProto) -> &str {
    node.output.first().map_or("", String::as_str)
}
