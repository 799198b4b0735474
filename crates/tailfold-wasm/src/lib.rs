//! The classifier as a WebAssembly module: integer kernels and decoders, without imports and without generated glue.
//!
//! Internal to tailfold, no stability promise.
//!
//! Bytes go in through memory from `tailfold_alloc`; an answer is JSON in the module's memory, at `tailfold_answer`, as long
//! as the call said. [`Session`] has what the answers are; `web/tailfold.js` is the other side.

#![expect(
    unsafe_code,
    reason = "JavaScript writes into this module's memory and finds functions by their unmangled names"
)]

mod exports;
mod memory;
mod session;

pub use exports::{
    tailfold_alloc, tailfold_answer, tailfold_classify, tailfold_free, tailfold_open,
};
pub use session::Session;
