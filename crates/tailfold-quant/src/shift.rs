//! The layer that produces the logits, and the bias that shifts them per class.

use tailfold_onnx::proto::NodeProto;
use tailfold_onnx::{LastBias, makes_logits};

use crate::error::QuantError;
use crate::float::FloatModel;
use crate::rebalance::LeftOut;

impl FloatModel {
    /// Returns the bias that shifts the logits, or the reason why the model has none.
    ///
    /// # Errors
    /// [`QuantError`] when the model has no single output, or a constant behind the last layer cannot be read.
    pub(crate) fn last_bias(&self) -> Result<Result<LastBias, LeftOut>, QuantError> {
        let found = LastBias::of(&self.model, self.shapes(), self.num_classes())?;
        Ok(found.map_err(LeftOut::from))
    }

    /// Returns the node that produces the logits: the last layer with weights before the output.
    ///
    /// # Errors
    /// [`QuantError`] when the model has no single output.
    pub(crate) fn head(&self) -> Result<Option<&NodeProto>, QuantError> {
        let graph = self.model.graph();
        let mut value = self.model.output()?.name();
        while let Some(node) = graph.producer(value) {
            if makes_logits(node) {
                return Ok(Some(node));
            }
            let computed = |input: &&String| graph.find_initializer(input).is_none();
            let Some(before) = node.input.iter().find(computed) else {
                break;
            };
            value = before;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
