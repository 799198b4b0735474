//! The program `tailfold` for a board, its completion scripts and its manual pages.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use tailfold_console::process::must;
use tailfold_console::{print, say};

use super::archive::{copy, size};
use super::help_files;
use crate::process::{build_small, cargo, root};
use crate::target::Target;

/// Builds `tailfold` for the target `name` and copies it to `folder`, with its completion scripts and manual pages.
pub(super) fn make(name: &str, features: &[String], folder: &Path) -> anyhow::Result<ExitCode> {
    let target = Target::named(name)?;
    if let Some(why) = target.missing() {
        bail!("cannot build for {name}: {why}");
    }
    ensure!(
        !features.iter().any(|feature| feature == "ort"),
        "a program that is linked statically cannot load ONNX Runtime: leave `ort` out of --features"
    );
    let folder = root()?.join(folder);
    let program = build(target, features)?;
    copy(&program, &folder.join("tailfold"))?;
    // A program for this machine with the same visible commands writes the scripts and pages.
    let same = build_small(&[features, &["help-files".to_owned()]].concat())?;
    help_files::write(&same, &folder)?;
    print(&format!(
        "{}: {} bytes, static, stripped",
        folder.join("tailfold").display(),
        size(&folder.join("tailfold"))
    ));
    Ok(ExitCode::SUCCESS)
}

fn build(target: &Target, features: &[String]) -> anyhow::Result<PathBuf> {
    let toolchain = target.toolchain()?;
    say(&format!("building tailfold for {}", target.name));
    // A panic inside tract is caught, so it has to unwind.
    let unwinds = features.iter().any(|f| f == "tract" || f == "tools");
    let profile = if unwinds { "dist" } else { "device" };
    let mut cargo = cargo();
    cargo
        .current_dir(root()?)
        .args(["build", "--quiet", "--profile", profile])
        .args(["--package", "tailfold-cli", "--no-default-features"])
        .arg(format!("--features={}", features.join(",")));
    target.applied(toolchain.as_ref(), &mut cargo)?;
    must(&mut cargo)?;
    let built = target.folder()?.join("build").join(target.name);
    Ok(built.join(profile).join("tailfold"))
}
