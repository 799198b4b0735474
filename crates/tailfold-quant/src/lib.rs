//! Static INT8 quantization of a classifier: class-balanced calibration, per-channel weights, QDQ output.
//!
//! The file that leaves is standard ONNX, in the form that its [`Target`] runs fastest. Logits stay in float, so that no
//! rare class is lost to a tie.

mod affine;
mod calibrate;
mod emit;
mod error;
mod float;
mod histogram;
mod images;
mod observer;
mod prepared;
mod quantize;
mod regions;
mod target;

pub use affine::{ActivationParams, Scheme, WeightParams, quantize_weights};
pub use error::QuantError;
pub use float::FloatModel;
pub use images::{CalibrationSet, Draw, check_disjoint};
pub use observer::{ObserverKind, Range};
pub use prepared::PreparedImages;
pub use quantize::{HeadPrecision, Options, Quantized, quantize};
pub use regions::{Placement, Region, find_region};
pub use target::Target;
