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
    /// A program to pack instead of a new build.
    pub(super) binary: Option<&'a Path>,
}

/// Writes the archive `out`.
pub(super) fn make(pack: &Pack<'_>, out: &Path) -> anyhow::Result<ExitCode> {
    let root = process::root()?;
    let archive = archive::Pack::begin(out, &root.join("xtask/src/dist/gpu_pack.sh"))?;
    let folder = archive.folder();
    for (split, spec) in [("train", pack.data), ("test", pack.test)] {
        // PNG files are smaller than compressed raw images, and training reads them directly.
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

/// Builds only the training program, in the profile `gpu`, and returns its path. The target folder is separate, because no
/// other build has the same features.
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
