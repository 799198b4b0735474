//! Shared parts of the programs: results on stdout, log output on stderr, progress bars on a terminal, Markdown tables, and the start of
//! other programs.
//!
//! Internal to tailfold, no stability promise.

pub mod jobs;
pub mod markdown;
mod output;
pub mod process;
pub mod training;

pub use indicatif::ProgressBar;
pub use output::{bar, print, say};
