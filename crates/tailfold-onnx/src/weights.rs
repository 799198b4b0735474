//! Layers with weights: the nodes that the quantizer should make integer, and that a report counts.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::Model;
use crate::proto::{NodeProto, TensorProto};

/// Operators of layers with weights, and the inputs that may be the weights, including operators of ONNX
/// Runtime.
const LAYERS: [(&str, &[usize]); 18] = [
    ("Conv", &[1]),
    ("ConvInteger", &[1]),
    ("ConvTranspose", &[1]),
    ("DeformConv", &[1]),
    ("Einsum", &[0, 1, 2]),
    ("FusedConv", &[1]),
    ("FusedGemm", &[0, 1]),
    ("FusedMatMul", &[0, 1]),
    ("GRU", &[1]),
    ("Gemm", &[0, 1]),
    ("LSTM", &[1]),
    ("MatMul", &[0, 1]),
    ("MatMulInteger", &[0, 1]),
    ("MatMulNBits", &[1]),
    ("NhwcFusedConv", &[1]),
    ("QLinearConv", &[3]),
    ("QLinearMatMul", &[0, 3]),
    ("RNN", &[1]),
];

/// Operators that may stand between a weight and its layer.
const PASSED: [&str; 5] = [
    "Cast",
    "DequantizeLinear",
    "Identity",
    "Reshape",
    "Transpose",
];

/// Returns whether layers of the operator `op` have weights.
pub fn is_weighted(op: &str) -> bool {
    LAYERS.iter().any(|(layer, _)| *layer == op)
}

impl Model {
    /// Returns the names of the layers with weights. A product of two activations does not count.
    pub fn layers_with_weights(&self) -> BTreeSet<&str> {
        let graph = self.graph();
        let makers = graph.node.iter().filter(|n| PASSED.contains(&n.op_type()));
        let makers = makers.flat_map(|n| n.output.iter().map(move |o| (o.as_str(), n)));
        let values = Values {
            constants: graph.initializer.iter().map(TensorProto::name).collect(),
            makers: makers.collect(),
        };
        let layers = graph.node.iter().filter(|n| has_weights(&values, n));
        layers.map(NodeProto::label).collect()
    }
}

/// The values that may be weights.
struct Values<'a> {
    /// Names of the initializers.
    constants: HashSet<&'a str>,
    /// Node of an operator in [`PASSED`], by the name of its output.
    makers: HashMap<&'a str, &'a NodeProto>,
}

fn has_weights(values: &Values<'_>, node: &NodeProto) -> bool {
    let layer = LAYERS.iter().find(|(layer, _)| *layer == node.op_type());
    let inputs = layer.map_or(&[][..], |(_, inputs)| inputs);
    let mut weights = inputs.iter().filter_map(|&i| node.input.get(i));
    weights.any(|weight| is_constant(values, weight))
}

/// Returns whether `value` is an initializer, directly or behind operators of [`PASSED`].
fn is_constant(values: &Values<'_>, value: &str) -> bool {
    let mut value = value;
    // The bound limits the time on a hostile graph; a weight passes few nodes.
    for _ in 0..8 {
        if values.constants.contains(value) {
            return true;
        }
        let Some(node) = values.makers.get(value) else {
            return false;
        };
        value = node.input.first().map_or("", String::as_str);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::small::{model, node};

    #[test]
    fn layers_have_constant_weights_and_products_of_activations_have_none() {
        let nodes = vec![
            node("DequantizeLinear", "q s", "w"),
            node("Transpose", "w", "t"),
            node("Conv", "image t", "plain"),
            node("Conv", "image image b", "computed"),
            node("MatMul", "plain computed", "attention"),
            node("MatMul", "m attention", "left"),
            node("Einsum", "left m", "sum"),
            node("Add", "sum m", "scores"),
        ];
        let mut model = model(13, &[3, 4, 4], nodes, &[3]);
        for name in ["q", "s", "b", "m"] {
            model.set_initializer(name, &[1], &[1_i8]);
        }
        let layers = model.layers_with_weights();
        assert_eq!(layers, BTreeSet::from(["left", "plain", "sum"]));
    }
}
