//! Builds that report their progress: cargo's own bar on a terminal, a line every few seconds on a pipe.

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tailfold_console::process::{must, shown};
use tailfold_console::say;

/// Longest silence of a build on a pipe.
const SILENCE: Duration = Duration::from_secs(8);

/// Runs the build command `cargo`. Fails unless the build succeeds.
pub(crate) fn build(cargo: &mut Command) -> anyhow::Result<()> {
    if std::io::stderr().is_terminal() {
        return must(cargo);
    }
    watched(cargo, SILENCE, say)
}

/// Runs `cargo` and hands `tell` its warnings and errors, and a line of progress after every `silence`.
fn watched(cargo: &mut Command, silence: Duration, tell: impl Fn(&str)) -> anyhow::Result<()> {
    let name = shown(cargo);
    let start = Instant::now();
    let mut child = cargo
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let stderr = child.stderr.take().context("cargo has no stderr")?;
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        let lines = BufReader::new(stderr).lines();
        lines
            .map_while(Result::ok)
            .all(|line| sender.send(line).is_ok())
    });
    let (mut compiled, mut last) = (0, String::new());
    let mut last_line = Instant::now();
    loop {
        match lines.recv_timeout(silence.saturating_sub(last_line.elapsed())) {
            Ok(line) => match Line::of(&line) {
                Line::Compiling(package) => {
                    compiled += 1;
                    package.clone_into(&mut last);
                }
                Line::Status => {}
                Line::Message => {
                    tell(&line);
                    last_line = Instant::now();
                }
            },
            Err(RecvTimeoutError::Timeout) => {
                tell(&progress(start.elapsed(), compiled, &last));
                last_line = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if last_line.elapsed() >= silence {
            tell(&progress(start.elapsed(), compiled, &last));
            last_line = Instant::now();
        }
    }
    let _ = reader.join();
    let status = child.wait().with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}

fn progress(elapsed: Duration, compiled: usize, last: &str) -> String {
    let seconds = elapsed.as_secs();
    match compiled {
        0 => format!("building: {seconds} s"),
        _ => format!("building: {seconds} s, crate {compiled}: {last}"),
    }
}

/// A line of cargo's stderr.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// The compilation of this package begins.
    Compiling(&'a str),
    /// Another step of cargo.
    Status,
    /// A warning or an error, or a line of one.
    Message,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let is_indented = line.starts_with(' ');
        match (words.next(), words.next()) {
            (Some("Compiling"), Some(package)) if is_indented => Self::Compiling(package),
            (
                Some("Downloading" | "Downloaded" | "Finished" | "Fresh" | "Locking" | "Updating"),
                Some(_),
            ) if is_indented => Self::Status,
            _ => Self::Message,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn steps_of_cargo_differ_from_messages() {
        let compiling = Line::of("   Compiling serde v1.0.229");
        assert_eq!(compiling, Line::Compiling("serde"));
        let finished = "    Finished `dev` profile [optimized] target(s) in 3s";
        assert_eq!(Line::of(finished), Line::Status);
        for message in [
            "warning: unused import",
            "  --> src/main.rs:1:1",
            "Compiling is hard",
            "    Blocking waiting for file lock on build directory",
            "",
        ] {
            assert_eq!(Line::of(message), Line::Message, "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn silence_ends_with_progress_and_failure_keeps_its_messages() {
        let run = |script: &str| {
            let lines = RefCell::new(Vec::new());
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            let tell = |line: &str| lines.borrow_mut().push(line.to_owned());
            let result = watched(&mut shell, Duration::from_millis(100), tell);
            (result.is_ok(), lines.into_inner())
        };
        let (good, lines) = run("echo '   Compiling tract-core v1' >&2; sleep 0.5");
        assert!(good);
        let expect = "building: 0 s, crate 1: tract-core";
        assert!(
            lines.len() >= 2 && lines.iter().all(|line| line == expect),
            "{lines:?}"
        );
        let (good, lines) = run("echo 'error: no' >&2; exit 101");
        assert!(!good);
        assert_eq!(lines, ["error: no"]);
    }
}
