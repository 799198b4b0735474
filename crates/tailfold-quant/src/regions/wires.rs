//! Lookup of the producer, the readers, the shape and the constant value of each tensor of a float graph.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_integer::Shapes;
use tailfold_onnx::proto::{DataType, GraphProto, NodeProto, TensorProto};

pub(super) struct Wires<'a> {
    pub(super) nodes: &'a [NodeProto],
    shapes: &'a Shapes,
    makers: BTreeMap<&'a str, usize>,
    /// The reads of each tensor, as node and input index.
    readers: BTreeMap<&'a str, Vec<(usize, usize)>>,
    constants: BTreeMap<&'a str, &'a TensorProto>,
    outputs: BTreeSet<&'a str>,
}

impl<'a> Wires<'a> {
    pub(super) fn of(graph: &'a GraphProto, shapes: &'a Shapes) -> Self {
        let mut wires = Self {
            nodes: &graph.node,
            shapes,
            makers: BTreeMap::new(),
            readers: BTreeMap::new(),
            constants: graph.initializer.iter().map(|t| (t.name(), t)).collect(),
            outputs: graph.output.iter().map(|o| o.name()).collect(),
        };
        for (index, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                wires.makers.insert(output, index);
            }
            for (place, input) in node.input.iter().enumerate() {
                if !input.is_empty() {
                    wires.readers.entry(input).or_default().push((index, place));
                }
            }
        }
        wires
    }

    pub(super) fn maker(&self, tensor: &str) -> Option<usize> {
        self.makers.get(tensor).copied()
    }

    /// Returns every read of `tensor`, as node and input index.
    pub(super) fn readers(&self, tensor: &str) -> &[(usize, usize)] {
        self.readers.get(tensor).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_constant(&self, tensor: &str) -> bool {
        self.constants.contains_key(tensor)
    }

    pub(super) fn is_output(&self, tensor: &str) -> bool {
        self.outputs.contains(tensor)
    }

    /// Returns the shape of `tensor` for a batch of one image, if it is known.
    pub(super) fn shape(&self, tensor: &str) -> Option<&'a [usize]> {
        self.shapes.get(tensor).map(Vec::as_slice)
    }

    /// Returns whether `tensor` is known to be an image, `[1, channels, height, width]`, or a row, `[1, features]`.
    pub(super) fn is_image_or_row(&self, tensor: &str) -> bool {
        matches!(self.shape(tensor), Some([1, _] | [1, _, _, _]))
    }

    /// Returns whether `tensor` is a constant of one value that broadcasts to a tensor of `rank` without changing its
    /// shape.
    pub(super) fn is_scalar(&self, tensor: &str, rank: usize) -> bool {
        let shape = self.constants.get(tensor).and_then(|t| t.shape().ok());
        shape.is_some_and(|shape| shape.len() <= rank && shape.iter().all(|&length| length == 1))
    }

    /// Returns whether `tensor` is an f32 constant of zeros.
    pub(super) fn is_zero(&self, tensor: &str) -> bool {
        let Some(tensor) = self.constants.get(tensor) else {
            return false;
        };
        let values = tensor.values::<f32>();
        tensor.element() == Some(DataType::Float)
            && values.is_ok_and(|values| values.iter().all(|v| v.abs() < f32::MIN_POSITIVE))
    }
}
