//! INT8 inference with integer arithmetic: kernels, and programs made of kernels.
//!
//! Internal to tailfold, no stability promise.
//!
//! A code is a quantized value without its zero point, stored in 16 bits. Images lie channels last inside a border of
//! zeros ([`Frame`]). Sums are exact in 32 bits, and [`Requantize`] turns a sum into a code again. Every instruction
//! set ([`Isa`]) gives the same bits.

mod average;
mod blend;
mod concat;
mod conv;
mod error;
mod frame;
mod lanes;
mod peak;
mod pool;
mod ports;
mod product;
mod program;
mod requantize;
mod scratch;
mod shape;
mod table;

pub use blend::Blend;
pub use conv::Epilogue;
pub use error::KernelError;
pub use frame::{Border, Frame};
pub use lanes::Isa;
pub use peak::peak;
pub use ports::Steps;
pub use program::{Addend, Layer, Operation, Place, Program, ProgramError, StepInfo, Workspace};
pub use requantize::Requantize;
pub use shape::Window;
