//! Joins the float model before a tensor to the INT8 model behind it.

use tailfold_onnx::proto::NodeProto;

use super::assemble::{assemble, reference_name, reference_node};
use super::pair::Pair;

/// Returns the ONNX file of the float model up to `tensor`, joined to the INT8 model from there on. `tensor` is a
/// separator of both graphs other than the logits; its quantization belongs to the INT8 model.
pub(super) fn cut(pair: &Pair, tensor: &str) -> Vec<u8> {
    let (reference, candidate) = (&pair.reference, &pair.candidate);
    let before = reference.needed(&[tensor], "");
    let behind = candidate.needed(&[&candidate.output], tensor);
    let there = reference_name(pair, tensor);
    let first = before.nodes.iter();
    let first = first.map(|&n| reference_node(pair, &reference.model.nodes()[n]));
    let then = behind.nodes.iter().map(|&n| {
        let mut node: NodeProto = candidate.model.nodes()[n].clone();
        for input in node.input.iter_mut().filter(|i| *i == tensor) {
            there.clone_into(input);
        }
        node
    });
    assemble(pair, first.chain(then).collect())
}
