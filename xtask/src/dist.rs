//! `cargo xtask dist`: what is carried to a machine without this repository.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::artifact;
use walkdir::WalkDir;

use crate::output::{print, say};
use crate::process;

/// Make one archive for training on a GPU elsewhere: the stripped program, the images, the configurations of
/// `models/cifar100-lt/gpu`, and a script that trains them, resumes, and says images a second.
///
/// Example: cargo xtask dist --gpu-pack --data 'cifar100:DIR?split=train&imbalance=100' --test 'cifar100:DIR?split=test'
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The archive for a GPU.
    #[arg(long, required = true)]
    gpu_pack: bool,
    /// Training images.
    #[arg(long)]
    data: DataSpec,
    /// Test images.
    #[arg(long)]
    test: DataSpec,
    /// Archive to write; tar compresses by its ending.
    #[arg(long, default_value = "runs/gpu-pack.tar.xz")]
    out: PathBuf,
    /// Back end of the program: `cuda`, `vulkan`, or `cpu` to try the pack without a GPU.
    #[arg(long, default_value = "cuda", value_parser = ["cuda", "vulkan", "cpu"])]
    device: String,
    /// A training program that is built already.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// What a machine takes in one file.
const LIMIT_BYTES: u64 = 64 << 20;

const PROGRAM: &str = "tailfold-train";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = process::root()?;
    let out = root.join(&args.out);
    // Beside the archive, so that its name tells whose it is.
    let name = file_stem(&out)?;
    let parent = out.parent().context("--out has no folder")?;
    let folder = parent.join(&name);
    if folder.exists() {
        ensure!(
            folder.join("run.sh").is_file(),
            "{} is there and is no pack: remove it, or give another --out",
            folder.display()
        );
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    // First, so that a pack that is cut short is known for one.
    copy(&root.join("xtask/src/dist/run.sh"), &folder.join("run.sh"))?;
    let program = match &args.binary {
        Some(binary) => binary.clone(),
        None => build(&root, &args.device)?,
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
    for (split, spec) in [("train", &args.data), ("test", &args.test)] {
        images(spec, &folder.join("data").join(split))?;
    }
    hashes(&folder)?;
    say(&format!("compressing {}", folder.display()));
    let mut tar = Command::new("tar");
    tar.env("XZ_OPT", "-6 -T0").env("ZSTD_CLEVEL", "19");
    tar.args([
        "--create",
        "--auto-compress",
        "--sort=name",
        "--owner=0",
        "--group=0",
    ])
    .arg("--mtime=1970-01-01")
    .arg("--file")
    .arg(&out)
    .arg("--directory")
    .arg(parent)
    .arg(&name);
    process::must(&mut tar)?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
    let (program, archive) = (size(&folder.join(PROGRAM)), size(&out));
    print(&format!(
        "{}: {archive} bytes, sha256 {}\nprogram: {program} bytes stripped\nunpack it and run {name}/run.sh OUT",
        out.display(),
        artifact::sha256(&artifact::read(&out)?)
    ));
    ensure!(
        archive < LIMIT_BYTES,
        "the archive has {archive} bytes, the limit is {LIMIT_BYTES}"
    );
    Ok(ExitCode::SUCCESS)
}

/// Name of an archive without its endings.
fn file_stem(path: &Path) -> anyhow::Result<String> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let stem = name.as_deref().and_then(|name| name.split('.').next());
    let stem = stem.filter(|stem| !stem.is_empty() && *stem != name.as_deref().unwrap_or_default());
    stem.map(str::to_owned)
        .with_context(|| format!("{}: expected a name like pack.tar.xz", path.display()))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
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

/// Writes `SHA256SUMS` of every file in `folder`.
fn hashes(folder: &Path) -> anyhow::Result<()> {
    let mut sums = String::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder)?;
            let hash = artifact::sha256(&artifact::read(entry.path())?);
            writeln!(sums, "{hash}  {}", name.display())?;
        }
    }
    artifact::write(&folder.join("SHA256SUMS"), sums.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_a_name_and_an_ending() {
        assert_eq!(file_stem(Path::new("a/pack.tar.xz")).unwrap(), "pack");
        for path in ["pack", ".tar.xz", "/"] {
            assert!(file_stem(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn every_file_of_a_pack_has_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let spec: DataSpec = "embedded?split=test&per-class=1".parse().unwrap();
        // The classes of the embedded data are by number, not by name.
        let error = images(&spec, &folder.path().join("data")).unwrap_err();
        assert!(error.to_string().contains("alphabetical"), "{error}");
        fs::create_dir_all(folder.path().join("configs")).unwrap();
        fs::write(folder.path().join("configs/b.toml"), "b").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        hashes(folder.path()).unwrap();
        let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
        // Of the empty file and of `b`, by sha256sum.
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
            3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  configs/b.toml\n";
        assert_eq!(sums, expected);
    }
}
