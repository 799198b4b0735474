//! Training runs as processes with short log output.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::process::shown;
use crate::say;

/// Shortest time between two epoch lines of a run.
const PAUSE: Duration = Duration::from_secs(6);

/// Runs a training `command` to its end on `threads` threads. Passes on its log output, but only one epoch
/// line every few seconds and the last epoch line.
///
/// # Errors
/// A program that cannot be started or that fails, with the program's own error.
pub fn run(command: &mut Command, threads: usize) -> anyhow::Result<()> {
    run_with_pause(command, threads, PAUSE, say)
}

/// As [`run`], with at least `pause` between two epoch lines; passes each line to `tell`.
fn run_with_pause(
    command: &mut Command,
    threads: usize,
    pause: Duration,
    tell: impl Fn(&str),
) -> anyhow::Result<()> {
    command
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    let (mut last, mut error) = (String::new(), String::new());
    let mut last_is_shown = true;
    let mut shown_at = Instant::now();
    if let Some(log) = child.stderr.take() {
        // Lines are read as bytes: a line that is not UTF-8 must not end this loop, or the program's next write would
        // fail.
        for line in BufReader::new(log).split(b'\n') {
            let line = line.with_context(|| format!("cannot read from {}", shown(command)))?;
            let line = String::from_utf8_lossy(&line).into_owned();
            last_is_shown = !line.contains(" epoch ") || shown_at.elapsed() >= pause;
            if last_is_shown {
                tell(&line);
                shown_at = Instant::now();
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
    if !last_is_shown {
        tell(&last);
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Returns the lines that a run of the shell `script` passes on with `pause`.
    fn lines(script: &str, pause: Duration) -> Vec<String> {
        let lines = RefCell::new(Vec::new());
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let tell = |line: &str| lines.borrow_mut().push(line.to_owned());
        run_with_pause(&mut shell, 1, pause, tell).expect("the script succeeds");
        lines.into_inner()
    }

    #[test]
    fn quick_epochs_show_messages_and_the_last_epoch() {
        let script = "for i in 1 2 3; do echo \"x epoch $i/3\" >&2; done";
        let found = lines(
            &format!("echo begins >&2; {script}"),
            Duration::from_secs(60),
        );
        assert_eq!(found, ["begins", "x epoch 3/3"]);
    }

    #[test]
    fn slow_epochs_are_shown_once_each() {
        let script = "for i in 1 2 3; do sleep 0.05; echo \"x epoch $i/3\" >&2; done";
        let found = lines(script, Duration::from_millis(10));
        assert_eq!(found, ["x epoch 1/3", "x epoch 2/3", "x epoch 3/3"]);
    }
}
