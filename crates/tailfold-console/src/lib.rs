//! Output of the programs: results on stdout, log output on stderr, progress bars on a terminal, Markdown tables.
//!
//! Internal to tailfold, no stability promise.

pub mod markdown;
mod output;

pub use output::{bar, print, say};
