//! Other programs, run to their end.

use std::env::{consts::EXE_SUFFIX, current_exe};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context as _, ensure};

/// Returns the path of the program `name` in the folder of the running program. If it is not there, returns the name alone, which the
/// system then searches on PATH.
pub fn beside(name: &str) -> PathBuf {
    let name = PathBuf::from(format!("{name}{EXE_SUFFIX}"));
    let own = current_exe().ok();
    let path = own.and_then(|own| Some(own.parent()?.join(&name)));
    path.filter(|path| path.is_file()).unwrap_or(name)
}

/// Runs `command` to its end.
///
/// # Errors
/// A program that cannot be started.
pub fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("cannot run {}", shown(command)))
}

/// Runs `command` to its end and returns its exit code as this program's own; 2 for a code that does not fit.
///
/// # Errors
/// A program that cannot be started, or that a signal ended.
pub fn exit_code(command: &mut Command) -> anyhow::Result<ExitCode> {
    let code = status(command)?.code().with_context(|| {
        let program = Path::new(command.get_program());
        format!("{} was ended by a signal", program.display())
    })?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(2)))
}

/// Runs `command`, which must succeed.
///
/// # Errors
/// A program that cannot be started, or that fails.
pub fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    ensure!(status.success(), "{} failed ({status})", shown(command));
    Ok(())
}

/// Runs `command`, which must succeed, and discards its stdout.
///
/// # Errors
/// A program that cannot be started, or that fails.
pub fn silent(command: &mut Command) -> anyhow::Result<()> {
    must(command.stdout(Stdio::null()))
}

/// Runs `command` and returns its stdout as JSON; an exit code that is not in `accepted` is a failure.
///
/// # Errors
/// A program that cannot be started, that fails, or whose stdout is not JSON.
pub fn json(command: &mut Command, accepted: &[i32]) -> anyhow::Result<serde_json::Value> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    let code = output.status.code();
    ensure!(
        code.is_some_and(|c| accepted.contains(&c)),
        "{} failed ({})",
        shown(command),
        output.status
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} did not answer in JSON", shown(command)))
}

/// Returns the command as a user would type it, without the program's folder.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|w| w.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell that runs `script`.
    fn shell(script: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn failing_program_is_named_with_its_arguments() {
        assert!(must(&mut shell("exit 0")).is_ok());
        let error = must(&mut shell("exit 3")).unwrap_err().to_string();
        assert_eq!(error, "sh -c exit 3 failed (exit status: 3)");
        let error = must(&mut Command::new("./no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot run no-such-program");
    }

    #[test]
    fn exit_code_is_handed_on_and_signal_is_error() {
        assert_eq!(exit_code(&mut shell("exit 3")).unwrap(), ExitCode::from(3));
        let error = exit_code(&mut shell("kill -9 $$")).unwrap_err().to_string();
        assert_eq!(error, "/bin/sh was ended by a signal");
    }

    #[test]
    fn json_needs_accepted_exit_code_and_json() {
        let answer = json(&mut shell("echo '{\"a\":1}'; exit 1"), &[0, 1]).unwrap();
        assert_eq!(answer["a"], 1);
        assert!(json(&mut shell("echo 1; exit 2"), &[0, 1]).is_err());
        let error = json(&mut shell("echo no"), &[0]).unwrap_err().to_string();
        assert!(error.ends_with("did not answer in JSON"), "{error}");
    }

    #[test]
    fn unknown_program_is_left_to_path() {
        let name = beside("no-such-program");
        assert_eq!(name, PathBuf::from(format!("no-such-program{EXE_SUFFIX}")));
    }
}
