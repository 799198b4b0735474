//! The progress bar of a quantization: one bar, stage after stage.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, hidden elsewhere.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:32} {pos}/{len}, {eta} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(tailfold_console::bar("", 0).with_style(style))
    }

    /// Begins a stage of `steps`.
    pub(super) fn start(&self, stage: &'static str, steps: usize) {
        self.0.reset();
        self.0.set_prefix(stage);
        self.0.set_length(steps as u64);
    }

    pub(super) fn step(&self) {
        self.0.inc(1);
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
