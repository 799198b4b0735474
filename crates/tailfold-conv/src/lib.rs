//! Convolution and batch normalisation for training on the CPU.
//!
//! Internal to tailfold, no stability promise.
//!
//! Images lie channels last, `[n, h, w, c]`, so that a vector holds neighbouring channels. The convolution is direct
//! and blocked over pixels and output channels. Batch normalisation, residual and ReLU are fused with it where that
//! saves a pass over memory. Results do not depend on the number of threads or on the width of the vectors.

mod data_gradient;
mod forward;
mod framed;
mod lanes;
mod panels;
mod rows;
mod shape;
mod tile;
mod unit;
mod weight_gradient;

pub use lanes::Isa;
pub use shape::{ConvShape, ShapeError};
pub use unit::{Gradients, ImageGradients, Tape, Trained, Unit, Weights};
