//! Why a model was not quantized.

use std::path::PathBuf;

use tailfold_data::DataError;
use tailfold_onnx::{CanonicalError, CheckError, OnnxError, OpenError};
use tailfold_spec::CardError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_tract::TractError;

/// A quantization that cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    /// The model's tensors or ports.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A graph that has no common form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A file that is not a classifier, or that cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An input whose images have no fixed size.
    #[error(
        "input `{input}` has the shape {shape}: only the batch may be open, not channels, height or width"
    )]
    DynamicShape {
        /// Name of the input.
        input: String,
        /// Its shape, `?` for what is not fixed.
        shape: String,
    },
    /// An output that is no row of logits.
    #[error(
        "output `{output}` has the shape {shape}, expected [batch, classes]: the model has no classifier head, or another output is meant (`--output`)"
    )]
    NoHead {
        /// Name of the output.
        output: String,
        /// Its shape for one image.
        shape: String,
    },
    /// Data of another number of classes.
    #[error("the model has {model} classes but {data} has {found}")]
    ClassCount {
        /// Classes of the model.
        model: usize,
        /// The data, as given.
        data: String,
        /// Classes of the data.
        found: usize,
    },
    /// The model says nothing about itself.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The runtime that observes activations.
    #[error(transparent)]
    Tract(#[from] TractError),
    /// The calibration images.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// The structure of the graph.
    #[error(transparent)]
    Check(#[from] CheckError),
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
    /// The model is quantized, and is not quantized again.
    #[error("the model is already quantized: node `{node}` is a {operator}")]
    AlreadyQuantized {
        /// Name of the first such node.
        node: String,
        /// Its operator.
        operator: String,
    },
    /// The model is in half precision, which is not converted again.
    #[error("the model is already in half precision: {0}")]
    AlreadyHalf(String),
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
    /// Too many images that are none.
    #[error(
        "{failed} of {drawn} calibration images cannot be decoded, more than one in a hundred; the first is {image}"
    )]
    Undecodable {
        /// The first of them.
        image: String,
        /// How many.
        failed: usize,
        /// How many were drawn.
        drawn: usize,
        /// Why the first.
        #[source]
        source: Box<DataError>,
    },
    /// A class that no calibration image belongs to.
    #[error(
        "class {class} (`{name}`) has no image in {data}, so nothing keeps its activations in range; `--allow-missing` accepts that"
    )]
    MissingClass {
        /// The class.
        class: usize,
        /// Its name.
        name: String,
        /// The data, as given.
        data: String,
    },
    /// A file of prepared images of another size.
    #[error(
        "{}: {bytes} bytes are no whole number of images of {shape:?}, {image} bytes each", file.display()
    )]
    PreparedSize {
        /// The file.
        file: PathBuf,
        /// Its length.
        bytes: u64,
        /// Length of an image.
        image: u64,
        /// `[channels, height, width]` of the network's input.
        shape: [usize; 3],
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
    /// An activation without a scale.
    #[error(
        "tensor `{0}` is 0 on all calibration images: it has no scale, and the network or its input is dead there"
    )]
    AllZero(String),
    /// A record that has no JSON form.
    #[error("the record of the quantization has no JSON form")]
    Record(#[from] serde_json::Error),
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
    #[error(
        "unknown observer `{0}`: expected `minmax`, `moving-average:SHARE` with 0 < SHARE <= 1, `percentile:P` with 50 < P <= 100, `mse` or `entropy`"
    )]
    Observer(String),
    /// Weights of too few or too many bits.
    #[error("weights of {0} bits: expected 4 to 8")]
    WeightBits(u8),
    /// A way of rounding that does not exist.
    #[error("unknown rounding `{0}`: expected `nearest` or `adaptive`")]
    Rounding(String),
    /// A layer to keep in float that the model does not have, or that stays in float anyway.
    #[error("no layer `{name}` becomes integer: those that do are {layers}")]
    NoLayer {
        /// The name, as given.
        name: String,
        /// Those that there are.
        layers: String,
    },
    /// A layer whose windows cannot be told.
    #[error(
        "{node} has weights {weight:?} over an input {input:?}: no sample of its input can be taken"
    )]
    Geometry {
        /// Name of the node.
        node: String,
        /// Shape of its weight.
        weight: Vec<usize>,
        /// Shape of its input for one image.
        input: Vec<usize>,
    },
    /// Windows that break ONNX's rules.
    #[error(transparent)]
    Integer(#[from] tailfold_integer::IntegerError),
    /// A search among images or by a model that does not say which class is rare.
    #[error(
        "a search needs training counts in the model's metadata, and labelled images: without them there are no groups"
    )]
    NoGroups,
    /// Two networks that cannot be compared.
    #[error(transparent)]
    Parity(#[from] tailfold_parity::ParityError),
    /// An image that is not of the network's size.
    #[error(transparent)]
    Shape(#[from] tailfold_spec::ShapeError),
    /// A network that could not run.
    #[error(transparent)]
    Run(#[from] tailfold_spec::RunError),
    /// Labels from which no class-balanced sample weights can be computed.
    #[error("the calibration images cannot be weighted by class")]
    Solve(#[from] tailfold_sdot::SolveError),
    /// Partial results of other machines.
    #[error(transparent)]
    Part(#[from] tailfold_part::PartError),
    /// An image that a shard could not decode, and that this machine can.
    #[error(
        "{image} is in no part, as if it could not be decoded, but here it can: {file} is of other images"
    )]
    Decodes {
        /// The image.
        image: String,
        /// The part that should have it.
        file: String,
    },
    /// A part of another command.
    #[error("{file} is a part of `{kind}`, which is no pass of a calibration")]
    NotAPass {
        /// The file.
        file: String,
        /// What it is of.
        kind: String,
    },
    /// A share of a pass when all have been made.
    #[error(
        "there is no pass left to share out: give all parts with --partials and --out, without --shard"
    )]
    NoPass,
    /// A target that does not exist.
    #[error("unknown target `{0}`: expected `tract`, `ort-x86` or `tensorrt`")]
    Target(String),
}
