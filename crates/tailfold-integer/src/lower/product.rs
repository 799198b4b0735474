//! Lowering of Mul: the product of two images, or of an image and one value per channel.

use tailfold_kernels::Operation;
use tailfold_onnx::proto::NodeProto;

use super::{Codes, Lowering};
use crate::IntegerError;
use crate::graph::output;

impl<'a> Lowering<'a> {
    /// Lowers Mul of two quantized tensors; returns false when it stays float.
    pub(super) fn product(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let (Some(a), Some(b)) = (self.codes_in(node, 0), self.codes_in(node, 1)) else {
            return Ok(false);
        };
        let names = [0, 1].map(|i| node.input[i].as_str());
        let names = if self.gates(&a, &b) {
            names
        } else if self.gates(&b, &a) {
            [names[1], names[0]]
        } else {
            return Ok(false);
        };
        let Some(ending) = self.ending(output(node))? else {
            return Ok(false);
        };
        let level = a.level.max(b.level);
        let [Some(x), Some(gate)] = names.map(|name| self.at_level(name, level)) else {
            return Ok(false);
        };
        let scale = f64::from(x.steps.scale) * f64::from(gate.steps.scale);
        let operation = Operation::Product {
            inputs: [x.tensor, gate.tensor],
            weight: scale / f64::from(ending.steps.scale),
            clamp: ending.clamp,
            output: self.drafts.tensor(self.drafts.tensors[x.tensor]),
        };
        self.simple(index, node, &x, operation, ending, x.shape.clone());
        Ok(true)
    }

    /// Returns whether `gate` has the shape of the image `x`, or one value per channel of `x`.
    fn gates(&self, x: &Codes, gate: &Codes) -> bool {
        let sizes = [x, gate].map(|codes| self.drafts.tensors[codes.tensor]);
        let same = x.shape == gate.shape && sizes[0] == sizes[1];
        let channels = match x.shape[..] {
            [1, channels, _, _] => gate.shape == [1, channels, 1, 1],
            _ => false,
        };
        same || channels
    }
}
