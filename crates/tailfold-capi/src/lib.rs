//! libtailfold: the library [`tailfold`] for C and for languages that call C. cbindgen generates `include/tailfold.h` from this crate.
//!
//! An entry point checks its arguments, calls the library and turns the outcome into a [`TailfoldCode`] and a message
//! of the calling thread. No panic leaves an entry point.

#![expect(
    unsafe_code,
    reason = "C passes raw pointers and finds functions by their unmangled names"
)]

mod argument;
mod classify;
mod code;
mod failure;
mod handle;
mod options;

pub use classify::{
    TailfoldGuess, tailfold_classify_bytes, tailfold_classify_pixels, tailfold_logits_bytes,
    tailfold_logits_pixels,
};
pub use code::{TailfoldCode, tailfold_error_name, tailfold_version};
pub use failure::tailfold_last_error;
pub use handle::{
    TailfoldClassifier, TailfoldShape, tailfold_class_name, tailfold_close, tailfold_fork,
    tailfold_input_shape, tailfold_num_classes, tailfold_open,
};
pub use options::TailfoldOptions;
