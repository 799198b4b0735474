//! Programs of this workspace as processes: built when needed, found beside this one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, bail, ensure};
use tailfold_console::say;

/// The repository's root.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = Path::new(&manifest)
        .parent()
        .context("xtask has no parent folder")?;
    Ok(root.to_owned())
}

/// Builds the workspace's programs in the profile of this one and returns the path of `bin`.
///
/// All of them, not one: features are unified over what is built together, and another set would compile burn and tract
/// again.
pub(crate) fn build(bin: &str) -> anyhow::Result<PathBuf> {
    build_for("cpu", bin)
}

/// [`build`], with the back end that training on `device` needs: another set of features, so half an hour the first time.
pub(crate) fn build_for(device: &str, bin: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let folder = own.parent().context("this program has no folder")?;
    let mut cargo = self::cargo();
    cargo
        .current_dir(root()?)
        .args(["build", "--quiet", "--workspace", "--bins"]);
    match device {
        "cpu" => {}
        "cuda" | "vulkan" => {
            say(&format!("building with the {device} back end"));
            cargo.arg(format!("--features=tailfold-train/{device}"));
        }
        other => bail!("there is no device `{other}`: expected cpu, cuda or vulkan"),
    }
    if folder.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    must(&mut cargo)?;
    Ok(folder.join(format!("{bin}{}", std::env::consts::EXE_SUFFIX)))
}

/// Kind of this machine: architecture, system and cores.
pub(crate) fn machine() -> String {
    use std::env::consts::{ARCH, OS};
    format!("{ARCH} {OS}, {} cores", crate::pool::cores())
}

/// The cargo that runs this program, as if it were started by hand: what it told this program of its package would make build
/// scripts that ask for it run again, and all that depends on them.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_this_package = |name: &str| {
        [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_CRATE_",
            "CARGO_BIN_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_this_package) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs `command` to its end.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("cannot run {}", shown(command)))
}

/// Runs `command`, which must succeed.
pub(crate) fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    ensure!(status.success(), "{} failed ({status})", shown(command));
    Ok(())
}

/// Runs `command`, which must succeed and whose stdout is of no interest.
pub(crate) fn silent(command: &mut Command) -> anyhow::Result<()> {
    must(command.stdout(std::process::Stdio::null()))
}

/// Runs `command` and returns its stdout as JSON; exit codes in `accepted` are answers, any other is a failure.
pub(crate) fn json(command: &mut Command, accepted: &[i32]) -> anyhow::Result<serde_json::Value> {
    let output = command
        .stderr(std::process::Stdio::inherit())
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

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|w| w.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
