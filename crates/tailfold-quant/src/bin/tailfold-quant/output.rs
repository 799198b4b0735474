//! What is said while working, and at the end.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

#[expect(clippy::print_stderr, reason = "the talk of a command goes to stderr")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(
    clippy::print_stdout,
    reason = "the result of a command goes to stdout"
)]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// A bar on a terminal, nothing else elsewhere.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len}, {eta} left");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// Begins a stage of `steps`.
    pub(crate) fn start(&self, stage: &'static str, steps: usize) {
        self.0.reset();
        self.0.set_message(stage);
        self.0.set_length(steps as u64);
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
