//! Why a model was not quantized.

use tailfold_data::DataError;
use tailfold_onnx::OnnxError;
use tailfold_spec::CardError;
use tailfold_tract::TractError;

/// A quantization that cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    /// The model's tensors or ports.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The model says nothing about itself.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The runtime that observes activations.
    #[error(transparent)]
    Tract(#[from] TractError),
    /// The calibration images.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A calibration image that the network cannot take.
    #[error("calibration image {image}")]
    Image {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: DataError,
    },
    /// Nothing to quantize.
    #[error("the model has no Conv or Gemm with constant weights")]
    NothingToQuantize,
    /// Quantized before.
    #[error("the model is already quantized: node `{0}` is a QuantizeLinear")]
    AlreadyQuantized(String),
    /// Fold first: the bias of the head is derived from the folded value.
    #[error("the model's offsets are not folded yet: export folds them, quantize after it")]
    NotFolded,
    /// Other classes than the model's.
    #[error("the model has classes {model:?} but the calibration data has {data:?}")]
    Classes {
        /// The model's.
        model: Vec<String>,
        /// The data's.
        data: Vec<String>,
    },
    /// The evaluation split was offered for calibration.
    #[error("{0} is the evaluation split: calibrate on training images")]
    EvaluationSplit(String),
    /// An image is in both sets.
    #[error(
        "calibration image {calibration} is also in the evaluation data, as {evaluation} ({shared} shared images in all)"
    )]
    Overlap {
        /// In the calibration set.
        calibration: String,
        /// In the evaluation set.
        evaluation: String,
        /// How many are shared.
        shared: usize,
    },
    /// No images.
    #[error("the calibration set is empty")]
    NoImages,
    /// An activation that is no number.
    #[error("tensor `{tensor}` is {value} on calibration image {image}")]
    NotFinite {
        /// Tensor.
        tensor: String,
        /// The value.
        value: f32,
        /// The image.
        image: String,
    },
    /// A weight that is no number.
    #[error("weight `{tensor}` is {value} in output channel {channel}")]
    Weight {
        /// Initializer.
        tensor: String,
        /// Output channel.
        channel: usize,
        /// The value.
        value: f32,
    },
    /// An observer that does not exist.
    #[error("unknown observer `{0}`: expected `minmax` or `percentile:P` with 50 < P <= 100")]
    Observer(String),
}
