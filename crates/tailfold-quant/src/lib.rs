//! Static INT8 quantization of a classifier: class-balanced calibration, per-channel weights, QDQ output; and half
//! precision.
//!
//! The file that leaves is standard ONNX, in the form that its [`Target`] runs fastest. Logits stay in float, so that no
//! rare class is lost to a tie.

mod affine;
mod calibrate;
mod emit;
mod error;
mod float;
mod half;
mod histogram;
mod images;
mod names;
mod observer;
mod prepared;
mod quantize;
mod regions;
mod target;

pub use affine::{ActivationParams, Scheme, WeightParams, quantize_weights};
pub use error::QuantError;
pub use float::FloatModel;
pub use half::{Halved, Kept, Lost, halve};
pub use images::{CalibrationSet, Draw, check_disjoint};
pub use observer::{ObserverKind, Range};
pub use prepared::PreparedImages;
pub use quantize::{HeadPrecision, Options, Quantized, quantize};
pub use regions::{Placement, Region, find_region};
pub use target::Target;
