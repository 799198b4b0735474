//! The archive that trains on a GPU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use tailfold_console::{print, say};
use tailfold_data::{DataSpec, Dataset};

use super::archive::{self, copy, size};
use crate::process;

const PROGRAM: &str = "tailfold-train";

/// What goes into it.
pub(super) struct Pack<'a> {
    /// Training images.
    pub(super) data: &'a DataSpec,
    /// Test images.
    pub(super) test: &'a DataSpec,
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
    let program = match pack.binary {
        Some(binary) => binary.to_owned(),
        None => build(&root, pack.device)?,
    };
    copy(&program, &folder.join(PROGRAM))?;
    process::must(Command::new("strip").arg(folder.join(PROGRAM)))?;
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
    for (split, spec) in [("train", pack.data), ("test", pack.test)] {
        images(spec, &folder.join("data").join(split))?;
    }
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
    process::must(&mut cargo)?;
    Ok(target.join("gpu").join(PROGRAM))
}

/// Writes the images of `spec` as PNG, a folder a class: smaller than compressed planes, and read as they are.
fn images(spec: &DataSpec, folder: &Path) -> anyhow::Result<()> {
    let data = Dataset::open(spec)?;
    let mut names: Vec<&String> = data.classes().iter().collect();
    names.sort();
    ensure!(
        names.iter().copied().eq(data.classes()),
        "{spec}: a folder a class needs classes in alphabetical order, or labels would move"
    );
    let mut next = vec![0; data.classes().len()];
    for (index, &label) in data.labels().iter().enumerate() {
        let class = folder.join(&data.classes()[label]);
        fs::create_dir_all(&class).with_context(|| format!("cannot create {}", class.display()))?;
        let path = class.join(format!("{:05}.png", next[label]));
        next[label] += 1;
        fs::write(&path, data.image(index)?.to_png()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    say(&format!("{spec}: {} images", data.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_whose_labels_would_move_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let spec: DataSpec = "embedded?split=test&per-class=1".parse().unwrap();
        // The classes of the embedded data are by number, not by name.
        let error = images(&spec, &folder.path().join("data")).unwrap_err();
        assert!(error.to_string().contains("alphabetical"), "{error}");
    }
}
