//! Errors of quantization.

use tailfold_data::DataError;
use tailfold_integer::IntegerError;
use tailfold_onnx::OnnxError;
use tailfold_parity::ParityError;
use tailfold_part::PartError;
use tailfold_sdot::SolveError;
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{CardError, RunError, ShapeError};
use tailfold_tract::TractError;

/// Kind of a quantization error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuantErrorKind {
    /// The model cannot be opened, or its graph does not have a form that can be quantized.
    Model,
    /// The chosen output is not one row of logits.
    NoHead,
    /// No layer can become integer.
    NothingToQuantize,
    /// The model is quantized or in half precision already.
    AlreadyConverted,
    /// A weight or an activation is NaN or infinite.
    NotFinite,
    /// An activation is 0 on all calibration images, so it has no scale.
    AllZero,
    /// An option has a value that does not exist, or names a layer that does not become integer.
    Option,
    /// The images have other classes than the model, or the model does not say which classes are rare.
    Classes,
    /// A class has no calibration image.
    MissingClass,
    /// Calibration images are evaluation images.
    Overlap,
    /// The calibration images cannot be read, prepared or weighted.
    Images,
    /// Partial results from other machines do not belong to this run.
    Part,
    /// All passes of a sharded calibration are done already.
    NoPass,
    /// The runtime cannot run the float network.
    Run,
    /// A file cannot be read or written.
    File,
}

tailfold_spec::error_type! {
    /// Error of a quantization.
    pub struct QuantError(QuantErrorKind);
    OnnxError => Model,
    CardError => Model,
    IntegerError => Model,
    ParityError => Model,
    DataError => Images,
    ShapeError => Images,
    PartError => Part,
    TractError => Run,
    RunError => Run,
    ArtifactError => File,
}

impl From<serde_json::Error> for QuantError {
    fn from(cause: serde_json::Error) -> Self {
        QuantErrorKind::File
            .error("the record of the quantization has no JSON form")
            .caused_by(cause)
    }
}

impl From<SolveError> for QuantError {
    fn from(cause: SolveError) -> Self {
        QuantErrorKind::Images
            .error("the calibration images cannot be weighted by class")
            .caused_by(cause)
    }
}
