//! What the programs write: results to stdout, messages to stderr, progress bars on a terminal, Markdown tables.
//!
//! Internal to tailfold: no stability promise.

pub mod markdown;
mod output;

pub use output::{bar, print, say};
