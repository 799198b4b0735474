//! The two graphs, and the tensors whose names both have.

use std::collections::BTreeSet;

use anyhow::ensure;
use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use super::side::Side;

/// The float graph and the INT8 graph.
pub(super) struct Pair {
    pub(super) reference: Side,
    pub(super) candidate: Side,
    /// Names of the tensors that both graphs have, in the order of the float graph: the image first, the logits last.
    pub(super) tensors: Vec<String>,
    /// The INT8 model without nodes and constants.
    pub(super) shell: Model,
}

impl Pair {
    /// Pairs the graphs of the models `[reference, candidate]`; `files` are their files in messages.
    ///
    /// # Errors
    /// Graphs without a common inner tensor name, or with different versions of the operators.
    pub(super) fn of(models: [&Model; 2], files: [&str; 2]) -> anyhow::Result<Self> {
        let candidate = Side::of(models[1], None, files[1])?;
        let ports = (candidate.input.as_str(), candidate.output.as_str());
        let reference = Side::of(models[0], Some(ports), files[0])?;
        let (a, b) = (reference.model.opset(), candidate.model.opset());
        ensure!(
            a == b,
            "{} has version {a:?} of the operators, {} has {b:?}: one graph cannot have both",
            files[0],
            files[1]
        );
        let known: BTreeSet<&str> = candidate.tensors().into_iter().collect();
        let all = reference.tensors();
        let of_reference = all.len();
        let tensors: Vec<String> = all
            .into_iter()
            .filter(|tensor| known.contains(tensor))
            .map(str::to_owned)
            .collect();
        // Input and output do not count: both graphs always have the same names for them.
        let inner = tensors
            .iter()
            .filter(|t| **t != reference.input && **t != reference.output);
        ensure!(
            inner.count() > 0,
            "no inner tensor of {} ({of_reference} tensors) has the name of an inner tensor of {} ({} tensors): tensors are matched by name, and the quantizer keeps the names",
            files[0],
            files[1],
            known.len()
        );
        let mut shell = candidate.model.clone();
        let graph = shell.graph_mut();
        graph.node.clear();
        graph.initializer.clear();
        graph.value_info.clear();
        Ok(Self {
            tensors,
            shell,
            reference,
            candidate,
        })
    }

    /// Whether both graphs have the tensor.
    pub(super) fn has(&self, tensor: &str) -> bool {
        self.tensors.iter().any(|t| t == tensor)
    }

    /// Returns the Q/DQ pair of `tensor` in the INT8 graph; the first pair if each consumer has its own.
    pub(super) fn codes(&self, tensor: &str) -> Option<[&NodeProto; 2]> {
        self.candidate.model.nodes().iter().find_map(|dequantize| {
            let quantize = self.candidate.quantized_by(dequantize)?;
            (quantize.input.first()? == tensor).then_some([quantize, dequantize])
        })
    }

    /// Returns the tensors that every path from the image to the logits passes, in both graphs: the image first, the
    /// logits last.
    pub(super) fn separators(&self) -> Vec<&str> {
        let passes = |side: &Side, tensor: &str| !side.needed(&[&side.output], tensor).image;
        let tensors = self.tensors.iter().map(String::as_str);
        tensors
            .filter(|t| passes(&self.reference, t) && passes(&self.candidate, t))
            .collect()
    }
}
