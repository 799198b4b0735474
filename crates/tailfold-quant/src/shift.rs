//! Shifts the logits class by class with the last bias of the graph.

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::affine::to_f32;
use crate::bias::add_to_bias;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::names::Names;
use crate::rebalance::LeftOut;

mod walk;

use walk::walk;

/// The last bias: the constant whose change shifts the logits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastBias {
    /// Index of its node.
    node: usize,
    place: Place,
    /// Change of each logit when its entry of the bias grows by 1, `[classes]`, never 0. It contains factors behind the
    /// bias, such as a temperature.
    gains: Vec<f64>,
}

/// Where a node reads its bias.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// The third input of a Conv or Gemm, which may be missing.
    Bias,
    /// The constant of an Add or Sub at this input, one value per class.
    Constant(usize),
}

impl LastBias {
    /// Adds `shifts` `[classes]` to the logits of `model`, which must have the nodes of the model that the bias was
    /// found in.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when the bias is not a float constant.
    pub(crate) fn shift(&self, model: &mut Model, shifts: &[f64]) -> Result<(), QuantError> {
        let added = self.added(shifts);
        let mut names = Names::of(model);
        match self.place {
            Place::Bias => add_to_bias(model, &mut names, self.node, &added),
            Place::Constant(input) => {
                let node = &model.nodes()[self.node];
                let name = node.input[input].clone();
                let (shape, old) = model.initializer_f32(&name)?;
                let sums = old.iter().zip(&added);
                let sums: Vec<f32> = sums.map(|(&b, a)| to_f32(f64::from(b) + a)).collect();
                let own = if model.graph().consumers(&name).count() == 1 {
                    name
                } else {
                    names.fresh(&format!("{name}.{}", node.label()))
                };
                model.set_initializer_f32(&own, &shape, &sums);
                model.graph_mut().node[self.node].input[input] = own;
                Ok(())
            }
        }
    }

    /// Returns what is added to the bias input of node `index` for `shifts` `[classes]`; `None` when the last bias is
    /// another constant.
    pub(crate) fn added_to(&self, index: Option<usize>, shifts: &[f64]) -> Option<Vec<f64>> {
        let own = self.place == Place::Bias && index == Some(self.node);
        own.then(|| self.added(shifts))
    }

    fn added(&self, shifts: &[f64]) -> Vec<f64> {
        let pairs = shifts.iter().zip(&self.gains);
        pairs.map(|(shift, gain)| shift / gain).collect()
    }
}

impl FloatModel {
    /// Returns the bias that shifts the logits, or the reason why there is none.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when the model has no single output, or a constant behind the last layer cannot be read.
    pub(crate) fn last_bias(&self) -> Result<Result<LastBias, LeftOut>, QuantError> {
        walk(&self.model, self.shapes(), self.num_classes())
    }

    /// Returns the node that makes the logits: the last layer with weights before the output.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when the model has no single output.
    pub(crate) fn head(&self) -> Result<Option<&NodeProto>, QuantError> {
        let graph = self.model.graph();
        let mut value = self.model.output()?.name();
        while let Some(node) = graph.producer(value) {
            if is_layer(node) {
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

/// Returns whether `node` is a layer with weights, which can make the logits.
fn is_layer(node: &NodeProto) -> bool {
    ["Gemm", "Conv", "MatMul"].iter().any(|op| node.is(op))
}

#[cfg(test)]
mod tests;
