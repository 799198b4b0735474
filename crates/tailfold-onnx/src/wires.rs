//! Index of the producer and the readers of each value, built once per graph, so that a pass takes linear
//! time.

use std::collections::{HashMap, HashSet};

use crate::proto::GraphProto;

/// Index of producers, readers and constants. It does not follow later changes of the graph.
pub(crate) struct Wires {
    makers: HashMap<String, usize>,
    readers: HashMap<String, Vec<usize>>,
    constants: HashMap<String, usize>,
    outputs: HashSet<String>,
}

impl Wires {
    pub(crate) fn of(graph: &GraphProto) -> Self {
        let mut wires = Self {
            makers: HashMap::new(),
            readers: HashMap::new(),
            constants: HashMap::new(),
            outputs: graph.output.iter().map(|o| o.name().to_owned()).collect(),
        };
        for (index, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                wires.makers.insert(output.clone(), index);
            }
            for input in node.input.iter().filter(|i| !i.is_empty()) {
                wires.readers.entry(input.clone()).or_default().push(index);
            }
        }
        for (index, tensor) in graph.initializer.iter().enumerate() {
            wires.constants.insert(tensor.name().to_owned(), index);
        }
        wires
    }

    /// Index of the node that produces `value`.
    pub(crate) fn maker(&self, value: &str) -> Option<usize> {
        self.makers.get(value).copied()
    }

    /// Indices of the nodes that read `value`, one entry per read.
    pub(crate) fn readers(&self, value: &str) -> &[usize] {
        self.readers.get(value).map_or(&[], Vec::as_slice)
    }

    /// Index of the only node that reads `value`; `None` if there are more reads, or if `value` is an output of the
    /// graph.
    pub(crate) fn only_reader(&self, value: &str) -> Option<usize> {
        match *self.readers(value) {
            [one] if !self.is_output(value) => Some(one),
            _ => None,
        }
    }

    /// Index of the initializer `value`.
    pub(crate) fn constant(&self, value: &str) -> Option<usize> {
        self.constants.get(value).copied()
    }

    pub(crate) fn is_output(&self, value: &str) -> bool {
        self.outputs.contains(value)
    }
}

/// Generator of names that a graph does not use yet.
pub(crate) struct Fresh {
    taken: HashSet<String>,
}

impl Fresh {
    pub(crate) fn of(graph: &GraphProto) -> Self {
        let mut taken: HashSet<String> = HashSet::new();
        for node in &graph.node {
            taken.extend(node.output.iter().cloned());
            taken.insert(node.name().to_owned());
        }
        taken.extend(graph.initializer.iter().map(|t| t.name().to_owned()));
        taken.extend(graph.input.iter().map(|i| i.name().to_owned()));
        taken.extend(graph.output.iter().map(|o| o.name().to_owned()));
        Self { taken }
    }

    /// Returns `wanted`, with a number appended if a value or node already has that name, and reserves the result.
    pub(crate) fn name(&mut self, wanted: &str) -> String {
        let numbered = (2_usize..).map(|n| format!("{wanted}.{n}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !self.taken.contains(name));
        let name = name.unwrap_or_else(|| wanted.to_owned());
        self.taken.insert(name.clone());
        name
    }
}
