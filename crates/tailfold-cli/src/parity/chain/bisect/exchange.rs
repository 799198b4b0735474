//! Replaces one part of the INT8 model with the same part of the float model.

use tailfold_onnx::proto::{NodeProto, TensorProto};
use tailfold_parity::chain::bisect::{ExchangedPart, Part};

use super::assemble::{assemble, reference_node};
use super::pair::Pair;

/// A part, and the ONNX file of the INT8 model with that part of the float model.
type Unit = ExchangedPart<Vec<u8>>;

/// Returns the parts between the tensors `from` and `to` that can be exchanged: quantizations of tensors, and nodes whose constants
/// differ.
pub(super) fn parts(pair: &Pair, from: &str, to: &str) -> Vec<Unit> {
    let stretch = pair.reference.needed(&[to], from);
    let nodes = stretch.nodes.iter();
    let nodes = nodes.map(|&n| &pair.reference.model.nodes()[n]);
    let codes_of =
        |tensor: &str| (tensor != to && pair.has(tensor)).then(|| codes(pair, tensor))?;
    let mut parts: Vec<Unit> = codes_of(from).into_iter().collect();
    for node in nodes {
        parts.extend(exchanged(pair, node));
        parts.extend(node.output.iter().filter_map(|t| codes_of(t)));
    }
    parts
}

/// Returns the INT8 model with `tensor` unquantized; `None` if it is not quantized there.
pub(super) fn codes(pair: &Pair, tensor: &str) -> Option<Unit> {
    pair.codes(tensor)?;
    let mut nodes = pair.candidate.model.nodes().to_vec();
    for input in nodes.iter_mut().flat_map(|n| &mut n.input) {
        if pair.candidate.root(input) == tensor {
            tensor.clone_into(input);
        }
    }
    Some(Unit {
        part: Part::Codes,
        name: tensor.to_owned(),
        operator: "QuantizeLinear".to_owned(),
        exchanged: assemble(pair, nodes),
    })
}

/// Returns the INT8 model with the float model's `node` in place of its own; `None` if this changes nothing, or if the
/// two graphs do not fit at this node.
pub(super) fn exchanged(pair: &Pair, node: &NodeProto) -> Option<Unit> {
    let (reference, candidate) = (&pair.reference, &pair.candidate);
    let index = candidate
        .model
        .nodes()
        .iter()
        .position(|n| n.output == node.output)?;
    let own = &candidate.model.nodes()[index];
    if is_same(pair, node, own) {
        return None;
    }
    let mut put = reference_node(pair, node);
    own.output.clone_into(&mut put.output);
    for (input, name) in node.input.iter().zip(&mut put.input) {
        if reference.is_constant(input) {
            continue;
        }
        // The new node reads the same input as the replaced node: other consumers of the tensor may have their own Q/DQ
        // pairs.
        let read = own.input.iter().find(|own| candidate.root(own) == input);
        let read = read.or_else(|| pair.tensors.iter().find(|t| *t == input))?;
        read.clone_into(name);
    }
    let constants: Vec<&str> = node
        .input
        .iter()
        .filter(|input| reference.is_constant(input))
        .map(String::as_str)
        .collect();
    let computed = reference.needed(&constants, "").nodes;
    let mut nodes: Vec<NodeProto> = computed
        .into_iter()
        .map(|n| reference_node(pair, &reference.model.nodes()[n]))
        .collect();
    nodes.extend_from_slice(candidate.model.nodes());
    let at = nodes.len() - candidate.model.nodes().len() + index;
    nodes[at] = put;
    Some(Unit {
        part: Part::Node,
        name: own.label().to_owned(),
        operator: node.op_type().to_owned(),
        exchanged: assemble(pair, nodes),
    })
}

/// Whether the two nodes have the same operator, attributes, inputs and constants.
fn is_same(pair: &Pair, node: &NodeProto, own: &NodeProto) -> bool {
    let (reference, candidate) = (pair.reference.model.graph(), pair.candidate.model.graph());
    let same = |(a, b): (&String, &String)| {
        let (a, b) = (a.as_str(), b.as_str());
        if !pair.reference.is_constant(a) || a.is_empty() {
            return pair.candidate.root(b) == a;
        }
        match (reference.find_initializer(a), candidate.find_initializer(b)) {
            (Some(a), Some(b)) => unnamed(a) == unnamed(b),
            _ => false,
        }
    };
    node.op_type() == own.op_type()
        && node.attribute == own.attribute
        && node.input.len() == own.input.len()
        && node.input.iter().zip(&own.input).all(same)
}

fn unnamed(tensor: &TensorProto) -> TensorProto {
    TensorProto {
        name: None,
        ..tensor.clone()
    }
}
