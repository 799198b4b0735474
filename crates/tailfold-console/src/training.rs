//! Training runs as processes with short log output.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::process::shown;
use crate::say;

/// Runs a training `command` to its end on `threads` threads. Passes on its log output, but only the last of its epoch
/// lines.
///
/// # Errors
/// A program that cannot be started or that fails, with the program's own error.
pub fn run(command: &mut Command, threads: usize) -> anyhow::Result<()> {
    command
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    let (mut last, mut error) = (String::new(), String::new());
    if let Some(talk) = child.stderr.take() {
        // Lines are read as bytes: a line that is not UTF-8 must not end this loop, or the program's next write would
        // fail.
        for line in BufReader::new(talk).split(b'\n') {
            let line = line.with_context(|| format!("cannot read from {}", shown(command)))?;
            let line = String::from_utf8_lossy(&line).into_owned();
            // A run prints some dozen epoch lines, and only the last one is shown. Every other line is a message.
            if !line.contains(" epoch ") {
                say(&line);
            }
            if let Some(why) = line.strip_prefix("error: ") {
                error = why.to_owned();
            }
            last = line;
        }
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for {}", shown(command)))?;
    // The program's own error is preferred: the command line names folders of this machine and says less.
    ensure!(
        !error.is_empty() || status.success(),
        "{} failed ({status}): {last}",
        shown(command)
    );
    ensure!(status.success(), "{error} ({status})");
    if last.contains(" epoch ") {
        say(&last);
    }
    Ok(())
}
