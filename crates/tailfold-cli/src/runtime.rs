//! `tailfold runtime`: installs ONNX Runtime's library, which is neither built here nor shipped.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use tailfold::ort_install_folder;
use tailfold_console::{print, say};

/// Install ONNX Runtime's library, for the back ends ort, cuda, tensorrt and tensorrt-rtx.
///
/// Example: tailfold runtime install
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RuntimeCommand {
    Install(Install),
}

/// Install ONNX Runtime from its Python wheel, with a pinned version and pinned hashes, where `tailfold` finds it.
///
/// Python 3 with its module `venv` is needed to install, not to run. The wheel is installed alone in a virtual
/// environment.
///
/// Example: tailfold runtime install
#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// Include the providers for CUDA and TensorRT (256 MB).
    #[arg(long)]
    gpu: bool,
    /// Also include the provider for TensorRT for RTX (147 MB).
    #[arg(long, requires = "gpu")]
    tensorrt_rtx: bool,
    /// Folder of the environment, which is emptied first. `tailfold` finds the default by itself: `tailfold/onnxruntime` in
    /// `XDG_DATA_HOME`, or in `~/.local/share`.
    #[arg(long)]
    dir: Option<PathBuf>,
}

const CPU: &str = include_str!("runtime/cpu.txt");
const GPU: &str = include_str!("runtime/gpu.txt");
const TENSORRT_RTX: &str = include_str!("runtime/tensorrt-rtx.txt");

/// Names under which the plug-in's libraries load each other; the wheel lacks these names.
const LINKS: [(&str, &str); 3] = [
    ("libtensorrt_rtx.so.1", "libtensorrt_rtx.so.1."),
    (
        "libtensorrt_onnxparser_rtx.so.1",
        "libtensorrt_onnxparser_rtx.so.1.",
    ),
    ("libcudart.so.13", "libcudart.so.13."),
];

pub(crate) fn run(command: &RuntimeCommand) -> anyhow::Result<ExitCode> {
    let RuntimeCommand::Install(args) = command;
    let own = ort_install_folder();
    let folder = args.dir.clone().or_else(|| own.clone());
    let folder = folder.context("there is no folder to install to: give --dir, or set HOME")?;
    let library = install(args, &folder)?;
    print(&format!("{}", library.display()));
    if Some(&folder) != own.as_ref() {
        say(&format!(
            "to use it: export ORT_DYLIB_PATH={}",
            library.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Creates the environment in `folder` and returns the path of the library.
fn install(args: &Install, folder: &Path) -> anyhow::Result<PathBuf> {
    say(&format!("installing ONNX Runtime to {}", folder.display()));
    must(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder),
    )
    .context("Python 3 with its module venv is needed")?;
    let wheels = if args.gpu { GPU } else { CPU };
    let plugin = if args.tensorrt_rtx { TENSORRT_RTX } else { "" };
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, format!("{wheels}{plugin}"))
        .with_context(|| format!("cannot write {}", requirements.display()))?;
    must(
        Command::new(folder.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--require-hashes",
            ])
            .args(["--only-binary", ":all:", "-r"])
            .arg(&requirements),
    )?;
    let packages = packages(folder)?;
    if args.tensorrt_rtx {
        links(&packages.join("onnxruntime_ep_nv_tensorrt_rtx"))?;
    }
    with_prefix(&packages.join("onnxruntime/capi"), "libonnxruntime.so.")
}

/// Runs `command`, which must succeed.
fn must(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

/// Returns the folder of the packages of the environment in `folder`.
fn packages(folder: &Path) -> anyhow::Result<PathBuf> {
    let python = with_prefix(&folder.join("lib"), "python3.")?;
    Ok(python.join("site-packages"))
}

/// Returns the only entry of `folder` whose name begins with `prefix`.
fn with_prefix(folder: &Path, prefix: &str) -> anyhow::Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    ensure!(
        found.len() == 1,
        "{} holds {} files {prefix}*, expected one",
        folder.display(),
        found.len()
    );
    Ok(found[0].clone())
}

/// Links the libraries in `folder` under the names by which they load each other.
fn links(folder: &Path) -> anyhow::Result<()> {
    for (name, prefix) in LINKS {
        let link = folder.join(name);
        if !link.exists() {
            let library = with_prefix(folder, prefix)?;
            let target = library
                .file_name()
                .context("the library has no file name")?;
            symlink(target, &link).with_context(|| format!("cannot link {}", link.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_pinned_with_hashes() {
        for (wheels, name) in [
            (CPU, "onnxruntime=="),
            (GPU, "onnxruntime-gpu=="),
            (TENSORRT_RTX, "onnxruntime-ep-nv-tensorrt-rtx-cu13=="),
        ] {
            assert!(
                wheels.lines().any(|line| line.starts_with(name)),
                "{wheels}"
            );
            assert!(wheels.matches("--hash=sha256:").count() > 1, "{wheels}");
        }
    }

    #[test]
    fn libraries_are_linked_under_their_load_names() {
        let folder = tempfile::tempdir().unwrap();
        let error = links(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("holds 0 files libtensorrt_rtx.so.1.*"),
            "{error}"
        );
        for name in [
            "libtensorrt_rtx.so.1.7.1",
            "libtensorrt_onnxparser_rtx.so.1.7.1",
            "libcudart.so.13.4.36",
        ] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        links(folder.path()).unwrap();
        links(folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("libcudart.so.13")).unwrap();
        assert_eq!(text, "libcudart.so.13.4.36");
    }
}
