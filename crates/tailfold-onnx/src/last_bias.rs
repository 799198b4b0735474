//! The last bias of a classifier: the constant that shifts the logits per class.

mod add;
mod walk;

pub use add::add_to_bias;

use crate::proto::NodeProto;
use crate::{Model, OnnxError, Shapes};

/// The last bias of a network in canonical form.
#[derive(Clone, Debug, PartialEq)]
pub struct LastBias {
    /// Index of its node.
    node: usize,
    place: Place,
    /// Change of each logit when its entry of the bias grows by 1, `[classes]`, never 0. It contains factors behind the
    /// bias, such as a temperature.
    gains: Vec<f64>,
    /// The first node behind the bias that adds a term common to all classes, such as LogSoftmax.
    common: Option<NoLastBias>,
}

/// Where a node reads its bias.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// The third input of a Conv or Gemm, which may be missing.
    Bias,
    /// The constant of an Add or Sub at this input, one value per class.
    Constant(usize),
}

/// A network without a bias that shifts the logits per class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node `{node}` ({operator}) stands between the last bias and the logits")]
pub struct NoLastBias {
    /// Name of the node: the first one, from the output backwards, that does not propagate a shift, or a
    /// layer without a usable bias.
    pub node: String,
    /// Its operator.
    pub operator: String,
}

impl LastBias {
    /// Returns the last bias of `model`, whose output has `classes` logits, or the reason why there is none. `shapes` are
    /// the shapes of the model's values, as far as they are known.
    ///
    /// # Errors
    /// [`OnnxError`] when the model has no single output.
    pub fn of(
        model: &Model,
        shapes: &Shapes,
        classes: usize,
    ) -> Result<Result<Self, NoLastBias>, OnnxError> {
        walk::walk(model, shapes, classes)
    }

    /// Returns the bias if a shift of it is exactly a shift of the logits, not up to a term common to all classes.
    ///
    /// # Errors
    /// [`NoLastBias`] with the node that adds the common term.
    pub fn exact(self) -> Result<Self, NoLastBias> {
        match self.common {
            None => Ok(self),
            Some(node) => Err(node),
        }
    }

    /// Adds `shifts` `[classes]` to the logits of `model`, which must have the same nodes as the model of
    /// the bias.
    ///
    /// # Errors
    /// [`OnnxError`] when the bias is not a float constant.
    pub fn shift(&self, model: &mut Model, shifts: &[f64]) -> Result<(), OnnxError> {
        let added = self.added(shifts);
        match self.place {
            Place::Bias => add_to_bias(model, self.node, &added),
            Place::Constant(input) => add::add_to_constant(model, self.node, input, &added),
        }
    }

    /// Returns the values that `shifts` `[classes]` add to the bias input of node `index`; `None` when the
    /// last bias is another constant.
    pub fn added_to(&self, index: Option<usize>, shifts: &[f64]) -> Option<Vec<f64>> {
        let own = self.place == Place::Bias && index == Some(self.node);
        own.then(|| self.added(shifts))
    }

    fn added(&self, shifts: &[f64]) -> Vec<f64> {
        let pairs = shifts.iter().zip(&self.gains);
        pairs.map(|(shift, gain)| shift / gain).collect()
    }
}

/// Returns whether `node` is a layer with weights, which can produce the logits.
pub fn makes_logits(node: &NodeProto) -> bool {
    ["Gemm", "Conv", "MatMul"].iter().any(|op| node.is(op))
}
