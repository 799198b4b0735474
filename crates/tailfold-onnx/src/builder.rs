//! Graphs under construction: nodes with their constants, and the types of their outputs.

use crate::Element;
use crate::proto::{DataType, Dimension, GraphProto, NodeProto, TensorProto, ValueInfoProto};

/// An f32 value of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Name of the value.
    pub(crate) name: String,
    /// Shape without the leading batch dimension.
    pub(crate) shape: Vec<usize>,
}

/// A graph to which nodes are appended in the order of computation.
#[derive(Debug, Default)]
pub(crate) struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    /// Creates a graph without nodes.
    pub(crate) fn new(name: String) -> Self {
        Self {
            graph: GraphProto {
                name: Some(name),
                ..GraphProto::default()
            },
        }
    }

    /// Adds the input `name`, `[N, shape...]`.
    pub(crate) fn input(&mut self, name: &str, shape: &[usize]) -> Value {
        let value = Value {
            name: name.to_owned(),
            shape: shape.to_vec(),
        };
        self.graph.input.push(info(&value));
        value
    }

    /// Adds a constant and returns its name.
    pub(crate) fn constant<T: Element>(
        &mut self,
        name: String,
        dims: &[usize],
        values: &[T],
    ) -> String {
        self.graph
            .initializer
            .push(TensorProto::new(name.as_str(), dims, values));
        name
    }

    /// Adds `node`, whose single output is `[N, shape...]`.
    pub(crate) fn node(&mut self, node: NodeProto, shape: Vec<usize>) -> Value {
        let value = Value {
            name: node.output.concat(),
            shape,
        };
        self.graph.node.push(node);
        self.graph.value_info.push(info(&value));
        value
    }

    /// Returns the graph with the single output `value`.
    pub(crate) fn finish(mut self, value: &Value) -> GraphProto {
        // The type of an output is declared in the list of outputs only.
        self.graph.value_info.retain(|v| v.name() != value.name);
        self.graph.output.push(info(value));
        self.graph
    }
}

fn info(value: &Value) -> ValueInfoProto {
    let mut shape = vec![Dimension::symbol("N")];
    shape.extend(value.shape.iter().map(|&d| Dimension::fixed(d)));
    ValueInfoProto::tensor(&value.name, DataType::Float, shape)
}
