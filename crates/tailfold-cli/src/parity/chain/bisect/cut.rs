//! The INT8 model behind a tensor, with the float model before it.

use tailfold_onnx::proto::NodeProto;

use super::assemble::{assemble, reference_name, reference_node};
use super::pair::Pair;

/// The file of the float model up to `tensor`, a separator of both graphs other than the logits, and the INT8 model from there
/// on. The tensor's codes belong to what is behind it.
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
