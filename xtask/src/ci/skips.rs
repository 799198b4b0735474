//! Skipped checks: a passing run names and counts them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use anyhow::Context as _;

use tailfold_console::process::shown;

/// Runs `command`, forwards its output line by line, and adds the lines that report a skipped check to `skips`.
///
/// Such a line begins with `skipped`, followed by a colon or a name: `skipped: why`, `skipped NAME: why`.
pub(super) fn run(command: &mut Command, skips: &mut Vec<String>) -> anyhow::Result<ExitStatus> {
    run_to(command, skips, std::io::stdout(), std::io::stderr())
}

/// As [`run`], with the output forwarded to `to_out` and `to_err`.
fn run_to(
    command: &mut Command,
    skips: &mut Vec<String>,
    to_out: impl Write,
    to_err: impl Write + Send,
) -> anyhow::Result<ExitStatus> {
    let name = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let out = child.stdout.take().context("no stdout")?;
    let err = child.stderr.take().context("no stderr")?;
    let found = thread::scope(|scope| {
        let err = scope.spawn(|| forward(err, to_err));
        let mut found = forward(out, to_out)?;
        let of_err = err.join();
        found.extend(of_err.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        anyhow::Ok(found)
    })?;
    skips.extend(found);
    child.wait().with_context(|| format!("cannot run {name}"))
}

/// Copies `from` to `to` and returns the lines that report a skipped check.
fn forward(from: impl Read, mut to: impl Write) -> anyhow::Result<Vec<String>> {
    let mut from = BufReader::new(from);
    let (mut line, mut found) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        to.write_all(&line)?;
        to.flush()?;
        let text = String::from_utf8_lossy(&line);
        if is_skip(&text) {
            found.push(text.trim_end().to_owned());
        }
    }
}

fn is_skip(line: &str) -> bool {
    line.strip_prefix("skipped")
        .is_some_and(|rest| rest.starts_with([':', ' ']) && rest.contains(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_are_found_and_everything_is_forwarded() {
        let text =
            b"ok one: 3\nskipped: no data\nskipped tensorrt: no library\nskipped\n2 skipped: no\n";
        let mut to = Vec::new();
        let found = forward(&text[..], &mut to).unwrap();
        assert_eq!(to, text);
        assert_eq!(found, ["skipped: no data", "skipped tensorrt: no library"]);
    }

    #[cfg(unix)]
    #[test]
    fn both_streams_are_searched_and_the_exit_code_is_kept() {
        let mut skips = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo skipped a: x; echo skipped: y >&2; exit 3"]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = run_to(&mut command, &mut skips, &mut out, &mut err).unwrap();
        assert_eq!(
            (&out[..], &err[..]),
            (&b"skipped a: x\n"[..], &b"skipped: y\n"[..])
        );
        assert_eq!(status.code(), Some(3));
        assert_eq!(skips, ["skipped a: x", "skipped: y"]);
    }
}
