//! Shifts of the logits, class by class, by the last bias of the graph.

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

/// The constant that shifts the logits when something is added to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastBias {
    /// Index of its node.
    node: usize,
    place: Place,
    /// How far each logit moves when 1 is added, `[classes]`, none 0: a temperature behind the layer is here.
    gains: Vec<f64>,
}

/// Where a node reads its bias.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// The third input of a Conv or Gemm, which may be absent.
    Bias,
    /// A constant of an Add or Sub, one value per class.
    Constant(usize),
}

impl LastBias {
    /// Adds `shifts` `[classes]` to the logits of `model`, which has the nodes of the model that this was found in.
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

    /// What the bias of node `index` gets for `shifts` `[classes]`; `None` when another constant gets it.
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
    /// The bias that shifts the logits, or why there is none.
    ///
    /// # Errors
    /// [`QuantError::Onnx`] when the model has no single output, or a constant behind the last layer cannot be read.
    pub(crate) fn last_bias(&self) -> Result<Result<LastBias, LeftOut>, QuantError> {
        walk(&self.model, &self.name, self.num_classes())
    }

    /// The node that makes the logits: the last layer with weights before the output.
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

/// True for an operator whose weights make the logits.
fn is_layer(node: &NodeProto) -> bool {
    ["Gemm", "Conv", "MatMul"].iter().any(|op| node.is(op))
}

#[cfg(test)]
mod tests;
