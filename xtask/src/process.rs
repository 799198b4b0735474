//! The workspace's programs: built when needed, found in the folder of this program.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use tailfold_console::process::beside;
use tailfold_console::say;

use crate::building;

/// Returns the repository's root.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = Path::new(&manifest)
        .parent()
        .context("xtask has no parent folder")?;
    Ok(root.to_owned())
}

/// The programs that users run.
const PROGRAMS: [&str; 3] = ["tailfold", "tailfold-lab", "tailfold-train"];

/// Builds the programs that users run, in the profile of this program, and returns the path of `bin`, one of them.
///
/// It builds all programs, not only `bin`: cargo unifies the features of the packages in one build, and another set of
/// features would compile burn and tract again.
pub(crate) fn build(bin: &str) -> anyhow::Result<PathBuf> {
    let programs = PROGRAMS.iter().flat_map(|program| ["--bin", program]);
    let arguments: Vec<&str> = ["--workspace"].into_iter().chain(programs).collect();
    cargo_build(&arguments)?;
    Ok(beside(bin))
}

/// Builds all programs with the back end that training on `device` needs, and returns the path of `bin`.
///
/// The first build for a device other than the CPU takes half an hour, because it has other features.
pub(crate) fn build_for(device: &str, bin: &str) -> anyhow::Result<PathBuf> {
    let features = format!("--features=tailfold-train/{device}");
    match device {
        "cpu" => cargo_build(&["--workspace", "--bins"])?,
        "cuda" | "vulkan" => {
            say(&format!("building with the {device} back end"));
            cargo_build(&["--workspace", "--bins", &features])?;
        }
        other => bail!("there is no device `{other}`: expected cpu, cuda or vulkan"),
    }
    Ok(beside(bin))
}

/// Builds only `tailfold`, with `features`, and returns its path.
///
/// Without features, the build takes a minute, and the program runs only models that are quantized from end to end. The
/// target folder is separate, because this program and the full program would overwrite each other.
pub(crate) fn build_small(features: &[String]) -> anyhow::Result<PathBuf> {
    let folder = root()?.join("target/small");
    let mut cargo = cargo();
    cargo
        .current_dir(root()?)
        .args(["build", "--package", "tailfold-cli"]);
    cargo
        .arg("--no-default-features")
        .arg(format!("--features={}", features.join(",")))
        .arg("--target-dir")
        .arg(&folder);
    building::build(&mut cargo)?;
    Ok(folder.join(format!("debug/tailfold{EXE_SUFFIX}")))
}

/// Runs `cargo build` with `arguments` in the profile of this program.
fn cargo_build(arguments: &[&str]) -> anyhow::Result<()> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let folder = own.parent().context("this program has no folder")?;
    let mut cargo = cargo();
    cargo.current_dir(root()?).arg("build");
    cargo.args(arguments);
    if folder.file_name() == Some(OsStr::new("release")) && !arguments.contains(&"--release") {
        cargo.arg("--release");
    }
    building::build(&mut cargo)
}

/// Builds the workspace's programs for training on `device` and returns a command that runs `tailfold-lab`.
pub(crate) fn lab_for(device: &str) -> anyhow::Result<Command> {
    lab(&build_for(device, "tailfold-lab")?)
}

/// Builds all programs in the profile `release`, and returns a command that runs `tailfold-lab`, which starts the others.
///
/// Benchmarks need it: the profile of everyday work compiles parts of tract and burn at low levels.
pub(crate) fn lab_released() -> anyhow::Result<Command> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let target = own
        .ancestors()
        .nth(2)
        .context("this program has no folder")?;
    say("building the programs in the profile `release`");
    cargo_build(&["--workspace", "--bins", "--release"])?;
    let program = format!("release/tailfold-lab{EXE_SUFFIX}");
    lab(&target.join(program))
}

/// Builds `tailfold-lab` alone, which takes a minute at most, for a chore that needs no other program, and returns a command that
/// runs it.
pub(crate) fn lab_alone() -> anyhow::Result<Command> {
    cargo_build(&["--package", "tailfold-lab"])?;
    lab(&beside("tailfold-lab"))
}

/// Returns a command that runs `program`, which is `tailfold-lab`.
pub(crate) fn lab(program: &Path) -> anyhow::Result<Command> {
    let mut lab = Command::new(program);
    without_package(&mut lab).arg("--root").arg(root()?);
    Ok(lab)
}

/// Returns the cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_package(&mut cargo);
    cargo
}

/// Removes cargo's variables of this package from the environment of `command`, as if `command` were started by hand.
///
/// With these variables, build scripts that read them would run again, and the crates of these scripts and all crates that
/// depend on them would be compiled again.
fn without_package(command: &mut Command) -> &mut Command {
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
            command.env_remove(name);
        }
    }
    command
}
