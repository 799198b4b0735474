//! The archive that trains on a GPU.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use tailfold_console::print;
use tailfold_console::process::must;

use super::archive::{self, copy, size};
use crate::{images, process};

const PROGRAM: &str = "tailfold-train";

/// Contents of the archive.
pub(super) struct Pack<'a> {
    /// Training images, as a data spec.
    pub(super) data: &'a str,
    /// Test images, as a data spec.
    pub(super) test: &'a str,
    /// Back end of the program.
    pub(super) device: &'a str,
    /// A program that is built already.
    pub(super) binary: Option<&'a Path>,
}

/// Writes the archive `out`.
pub(super) fn make(pack: &Pack<'_>, out: &Path) -> anyhow::Result<ExitCode> {
    let root = process::root()?;
    let archive = archive::Pack::begin(out, &root.join("xtask/src/dist/gpu_pack.sh"))?;
    let folder = archive.folder();
    for (split, spec) in [("train", pack.data), ("test", pack.test)] {
        // As PNG: smaller than compressed planes, and read as they are.
        images::write(
            process::lab_alone()?,
            spec,
            &folder.join("data").join(split),
            &["--by-class"],
        )?;
    }
    let program = match pack.binary {
        Some(binary) => binary.to_owned(),
        None => build(&root, pack.device)?,
    };
    copy(&program, &folder.join(PROGRAM))?;
    must(Command::new("strip").arg(folder.join(PROGRAM)))?;
    for config in ["logit-adjustment", "sdot"] {
        let file = format!("{config}.toml");
        copy(
            &root.join("models/cifar100-lt/gpu").join(&file),
            &folder.join("configs").join(&file),
        )?;
    }
    copy(
        &root.join("tests/judges/bench_train.py"),
        &folder.join("bench_train.py"),
    )?;
    print(&format!(
        "program: {} bytes stripped",
        size(&folder.join(PROGRAM))
    ));
    archive.end()?;
    Ok(ExitCode::SUCCESS)
}

/// The training program alone, in the profile `gpu` and a target folder of its own: no other build shares its features.
fn build(root: &Path, device: &str) -> anyhow::Result<PathBuf> {
    let target = root.join("target/gpu-pack");
    let mut cargo = process::cargo();
    cargo
        .current_dir(root)
        .args([
            "build",
            "--profile",
            "gpu",
            "--package",
            PROGRAM,
            "--bin",
            PROGRAM,
        ])
        .arg("--target-dir")
        .arg(&target);
    if device != "cpu" {
        cargo.args(["--features", device]);
    }
    must(&mut cargo)?;
    Ok(target.join("gpu").join(PROGRAM))
}
