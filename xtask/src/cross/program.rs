//! Checks of the program `tailfold` in an emulator: golden logits, a damaged image, integer kernels for every layer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::Context as _;
use tailfold_console::process::{must, shown};
use tailfold_console::{print, say};

use super::QUICK;
use crate::debian::Toolchain;
use crate::images;
use crate::process::{cargo, lab_alone};
use crate::target::Target;

const MODEL: &str = "models/fashion-lt/fashion-lt.int8.onnx";
const DATA: &str = "embedded?split=test&per-class=2";

/// Logits of [`MODEL`] on [`DATA`], the same on every processor.
const GOLDEN: &str = "tests/golden/fashion-lt.int8.logits.safetensors";

/// Builds `tailfold` for `target` with no other back end than the integer kernels.
pub(super) fn build(
    root: &Path,
    toolchain: Option<&Toolchain>,
    target: &Target,
) -> anyhow::Result<PathBuf> {
    say("building tailfold");
    let mut cargo = cargo();
    cargo
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--package",
            "tailfold-cli",
            "--no-default-features",
        ])
        .args(QUICK);
    target.applied(toolchain, &mut cargo)?;
    must(&mut cargo)?;
    let program = target.folder()?.join("build").join(target.name);
    Ok(program.join("debug/tailfold"))
}

/// Whether the program that `start` starts passes all checks. Prints the result.
pub(super) fn holds(name: &str, root: &Path, start: &dyn Fn() -> Command) -> anyhow::Result<bool> {
    let folder = std::env::temp_dir().join(format!("tailfold-cross-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let flaw = flaw(root, &folder, start);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    match flaw? {
        None => print(&format!(
            "{name}: bit-identical golden logits, valid images classified, damaged image reported, integer kernels for \
             every layer"
        )),
        Some(flaw) => {
            print(&format!("{name}: failed: {flaw}"));
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs all checks and returns the first failure.
fn flaw(root: &Path, folder: &Path, start: &dyn Fn() -> Command) -> anyhow::Result<Option<String>> {
    let run = |arguments: &[&str]| -> anyhow::Result<Output> {
        let mut command = start();
        command.current_dir(root).args(arguments);
        command
            .output()
            .with_context(|| format!("cannot run {}", shown(&command)))
    };
    let path = |name: &str| folder.join(name).display().to_string();
    let logits = path("logits.safetensors");
    let output = run(&[
        "logits",
        "--backend",
        "integer",
        "--model",
        MODEL,
        "--data",
        DATA,
        "--out",
        &logits,
    ])?;
    if !output.status.success() {
        return Ok(Some(format!(
            "`logits` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let golden = fs::read(root.join(GOLDEN)).with_context(|| format!("cannot read {GOLDEN}"))?;
    if fs::read(&logits)? != golden {
        return Ok(Some(format!("its logits differ from {GOLDEN}")));
    }
    let images = images::write(lab_alone()?, DATA, folder, &["--first", "4"])?;
    let files: Vec<String> = images
        .iter()
        .map(|i| i.file.display().to_string())
        .collect();
    let damaged = &files[2];
    fs::write(damaged, &fs::read(damaged)?[..60])?;
    let mut arguments = vec![
        "classify",
        "--json",
        "--backend",
        "integer",
        "--model",
        MODEL,
    ];
    arguments.extend(files.iter().map(String::as_str));
    let output = run(&arguments)?;
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let is_error = |i: usize| rows["images"][i]["error"].is_string();
    let answered = (0..4).map(is_error).eq([false, false, true, false]);
    if output.status.code() != Some(1) || !answered {
        return Ok(Some(format!(
            "expected an error only for the third of four images, found {rows}"
        )));
    }
    let info = run(&[
        "info",
        "--backend",
        "integer",
        "--require-integer",
        "--model",
        MODEL,
    ])?;
    if !info.status.success() {
        return Ok(Some(format!(
            "`info --require-integer` ended with {}: {}",
            info.status,
            String::from_utf8_lossy(&info.stderr)
        )));
    }
    // The program is built without Parquet, so a Parquet table must be a clear error.
    let table = path("logits.parquet");
    fs::write(&table, b"PAR1")?;
    let refused = run(&["parity", "--reference", &table, "--candidate", &table])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    let told = said.contains("is Parquet, which this program was built without");
    Ok((refused.status.code() != Some(2) || !told)
        .then(|| format!("expected an error that names Parquet, found {said}")))
}
