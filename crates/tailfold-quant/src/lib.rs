//! Static INT8 quantization of a folded classifier: class-balanced calibration, per-channel weights, QDQ output.
//!
//! The file that leaves is standard ONNX. Activations are unsigned 8-bit with a zero point, weights signed 8-bit and
//! symmetric for each output channel; biases and logits stay in float, so that no rare class is lost to a tie and the
//! folded offsets are exact.

mod affine;
mod calibrate;
mod error;
mod observer;
mod qdq;
mod quantize;
mod regions;

pub use affine::{ActivationParams, WeightParams, quantize_weights};
pub use calibrate::{CalibrationSet, Range, check_disjoint, observe_ranges};
pub use error::QuantError;
pub use observer::ObserverKind;
pub use quantize::{HeadPrecision, Options, Quantized, quantize};
pub use regions::{Region, find_region};
