//! The archive that runs models on a GPU through ONNX Runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use tailfold_console::process::{must, silent};
use tailfold_console::{print, say};
use tailfold_spec::artifact;
use walkdir::WalkDir;

use super::archive::{self, copy, size};
use super::fatbin;
use crate::process::{build, cargo, root};

const FLOAT: &str = "models/fashion-lt/fashion-lt.onnx";

/// Beginnings of the file names of ONNX Runtime's library, of the library that its providers share, and of the provider of
/// TensorRT, which is small and serves machines that have TensorRT.
const LIBRARIES: [&str; 3] = [
    "libonnxruntime.so.",
    "libonnxruntime_providers_shared.so",
    "libonnxruntime_providers_tensorrt.so",
];
const CUDA: &str = "libonnxruntime_providers_cuda.so";

/// Writes the archive `out`, with GPU code only for the compute capability `architecture`.
pub(super) fn make(out: &Path, architecture: u32) -> anyhow::Result<ExitCode> {
    let root = root()?;
    let libraries = installed(&root)?;
    let pack = archive::Pack::begin(out, &root.join("xtask/src/dist/runtime_pack.sh"))?;
    let folder = pack.folder();
    copy(&program(&root)?, &folder.join("tailfold"))?;
    for entry in fs::read_dir(&libraries).context("cannot list ONNX Runtime's libraries")? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if LIBRARIES.iter().any(|prefix| name.starts_with(prefix)) {
            copy(&path, &folder.join(&name))?;
        }
    }
    let mut provider = artifact::read(&libraries.join(CUDA))?;
    let code = fatbin::keep(&mut provider, architecture).with_context(|| CUDA.to_owned())?;
    say(&format!(
        "{CUDA}: {} bytes of GPU code for {architecture}, {} for others left out",
        code.kept, code.zeroed
    ));
    artifact::write(&folder.join(CUDA), &provider)?;
    models(&root, &folder.join("models"))?;
    let data = root.join("models/fashion-lt/data");
    for entry in WalkDir::new(&data) {
        let path = entry?.into_path();
        if path.is_file() {
            copy(&path, &folder.join("data").join(path.strip_prefix(&data)?))?;
        }
    }
    print(&format!(
        "program: {} bytes stripped",
        size(&folder.join("tailfold"))
    ));
    pack.end()?;
    Ok(ExitCode::SUCCESS)
}

/// Folder of ONNX Runtime's libraries in `target/ort`.
fn installed(root: &Path) -> anyhow::Result<PathBuf> {
    let how = "run `tailfold runtime install --gpu --dir target/ort` first";
    WalkDir::new(root.join("target/ort"))
        .into_iter()
        .flatten()
        .find(|entry| entry.file_name() == CUDA)
        .and_then(|entry| entry.path().parent().map(Path::to_owned))
        .with_context(|| format!("target/ort has no {CUDA}: {how}"))
}

/// Builds `tailfold` with ONNX Runtime and the integer kernels in the profile `dist`, and returns its path.
fn program(root: &Path) -> anyhow::Result<PathBuf> {
    let target = root.join("target/gpu-runtime-pack");
    let mut cargo = cargo();
    cargo
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--profile",
            "dist",
            "--package",
            "tailfold-cli",
        ])
        .args(["--no-default-features", "--features", "ort", "--target-dir"])
        .arg(&target);
    say("building tailfold");
    must(&mut cargo)?;
    Ok(target.join("dist/tailfold"))
}

/// Writes the float model, the INT8 model for the integer kernels, and the models for TensorRT to `folder`.
fn models(root: &Path, folder: &Path) -> anyhow::Result<()> {
    copy(&root.join(FLOAT), &folder.join("float.onnx"))?;
    copy(
        &root.join("models/fashion-lt/fashion-lt.int8.onnx"),
        &folder.join("int8.onnx"),
    )?;
    let tailfold = build("tailfold")?;
    let data = ["--calibration", "embedded?split=val"];
    let int8 = ["--target", "tensorrt"];
    for (name, arguments) in [
        ("tensorrt.onnx", [&data[..], &int8].concat()),
        ("fp16.onnx", vec!["--precision", "fp16"]),
    ] {
        let mut quantize = Command::new(&tailfold);
        quantize
            .args(["quantize", "--model", FLOAT])
            .args(arguments)
            .arg("--out")
            .arg(folder.join(name))
            .current_dir(root);
        silent(&mut quantize)?;
    }
    Ok(())
}
