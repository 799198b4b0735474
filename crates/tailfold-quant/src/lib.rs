//! Static INT8 quantization of a classifier: class-balanced calibration, per-channel weights, QDQ output; and half
//! precision.
//!
//! Internal to tailfold, no stability promise.
//!
//! The quantized model is standard ONNX, in the form that its [`Target`] runs fastest. Logits stay in float,
//! so that no rare class is lost to a tie.

mod affine;
mod answers;
mod calibrate;
mod codes;
mod draft;
mod emit;
mod equalize;
mod error;
mod fit;
mod float;
mod form;
mod half;
mod histogram;
mod images;
mod layers;
mod logits;
mod names;
mod observer;
mod options;
mod passes;
mod patches;
mod plan;
mod portable;
mod prepared;
mod quantize;
mod range;
mod ranges;
mod rebalance;
mod record;
mod regions;
mod report;
mod rounding;
mod sample;
mod search;
mod shift;
mod statistics;
mod target;
mod warning;
mod weights;
mod windows;

pub use affine::{ActivationParams, Scheme};
pub use draft::Draft;
pub use equalize::ChannelSpread;
pub use error::{QuantError, QuantErrorKind};
pub use fit::Fit;
pub use float::FloatModel;
pub use half::{Halved, Kept, Lost, halve};
pub use images::{CalibrationSet, Draw, check_disjoint};
pub use layers::FloatLayer;
pub use observer::ObserverKind;
pub use options::{HeadPrecision, Options};
pub use passes::{Passes, share};
pub use prepared::PreparedImages;
pub use quantize::{Quantized, quantize};
pub use range::Range;
pub use rebalance::{LeftOut, Rebalanced};
pub use regions::{Placement, Region, find_region};
pub use report::{ClassReport, Report};
pub use rounding::Rounding;
pub use search::{Judge, LayerEffect, Search, search};
pub use statistics::{LayerStatistics, TensorStatistics};
pub use target::Target;
pub use warning::Warning;
pub use weights::{WeightBits, WeightParams, quantize_weights};
