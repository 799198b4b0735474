//! The classifier as a WebAssembly module: integer kernels and decoders, without imports and without generated glue.
//!
//! Internal to tailfold, no stability promise.
//!
//! The host writes its bytes to memory from `tailfold_alloc`. An answer is JSON in the module's memory:
//! `tailfold_answer` returns its place, and the call returns its length. [`Session`] documents the answers;
//! `web/tailfold.js` is the host's side.

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
