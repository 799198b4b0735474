//! The interface through which a search runs the two models.

use super::{Decibel, Part};

/// A float and an INT8 model whose parts can be run and exchanged.
///
/// Tensors are matched by name. Decisions are in the order of the sample's images: the class, or `None` when a logit
/// is NaN or infinite.
pub trait Models {
    /// An error of a run.
    type Error;
    /// The INT8 model with one part replaced by the float model's.
    type Exchanged;

    /// Returns the tensors that both models have, in execution order: the image first, the logits last.
    fn tensors(&self) -> Vec<Tensor>;

    /// Returns the number of tensors of the float model.
    fn reference_tensors(&self) -> usize;

    /// Returns the names of the tensors through which all data pass in both models, the image first, the logits last.
    fn separators(&self) -> Vec<String>;

    /// Returns the names of the float model's nodes between the tensors `from` and `to`.
    fn nodes_between(&self, from: &str, to: &str) -> Vec<String>;

    /// Returns the parts between the tensors `from` and `to` that can be exchanged.
    fn parts_between(&self, from: &str, to: &str) -> Vec<ExchangedPart<Self::Exchanged>>;

    /// Returns the part of kind `part` that produces `tensor`; `None` if an exchange would change nothing.
    fn part_of(&self, part: Part, tensor: &str) -> Option<ExchangedPart<Self::Exchanged>>;

    /// Measures the noise of the tensors on some images of the sample.
    ///
    /// # Errors
    /// The error of a run.
    fn trace(&mut self) -> Result<Trace, Self::Error>;

    /// Returns the decisions of the INT8 model from `tensor` on, with the float model up to `tensor`, which must be a
    /// separator.
    ///
    /// # Errors
    /// The error of a run.
    fn cut(&mut self, tensor: &str) -> Result<Vec<Option<usize>>, Self::Error>;

    /// Returns the decisions of the INT8 model with `part` replaced by the float model's.
    ///
    /// # Errors
    /// The error of a run.
    fn exchange(
        &mut self,
        part: &ExchangedPart<Self::Exchanged>,
    ) -> Result<Vec<Option<usize>>, Self::Error>;

    /// Announces that the next `images` decisions belong to `work`, for a progress bar.
    fn begin(&mut self, work: &'static str, images: usize) {
        let _ = (work, images);
    }
}

/// A tensor that both models have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name of the tensor.
    pub name: String,
    /// The float model's operator that produces the tensor; `None` for the image.
    pub operator: Option<String>,
    /// Name of the INT8 model's node that produces the tensor; `None` for the image.
    pub node: Option<String>,
}

/// A part that can be exchanged.
#[derive(Clone, Debug)]
pub struct ExchangedPart<E> {
    /// Kind of the part.
    pub part: Part,
    /// Name of the node or tensor.
    pub name: String,
    /// Operator of the part.
    pub operator: String,
    /// The INT8 model with this part replaced by the float model's.
    pub exchanged: E,
}

/// The noise of all tensors.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The noise of each tensor, in the order of [`Models::tensors`].
    pub tensors: Vec<NoiseOf>,
    /// Number of images that were run.
    pub images: usize,
}

/// Signal-to-noise ratios of one tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseOf {
    /// Ratio of the value that the INT8 model's nodes read.
    pub all: Decibel,
    /// Ratio of the INT8 model's node alone, with the float model's values as its inputs.
    pub node: Option<Decibel>,
    /// Ratio of the tensor's quantization alone, on the float model's value.
    pub codes: Option<Decibel>,
}
