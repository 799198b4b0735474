//! Packs a folder into an archive with a size limit.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tailfold_console::process::must;
use tailfold_console::{print, say};
use tailfold_spec::artifact;
use walkdir::WalkDir;

use crate::process;

/// Largest archive in bytes: some machines accept no larger file.
const LIMIT_BYTES: u64 = 64 << 20;

/// A folder beside its archive, with the same name.
pub(super) struct Pack {
    out: PathBuf,
    parent: PathBuf,
    name: String,
}

impl Pack {
    /// An empty folder for the archive `out`, in which `script` is `run.sh`.
    pub(super) fn begin(out: &Path, script: &Path) -> anyhow::Result<Self> {
        let out = process::root()?.join(out);
        let name = file_stem(&out)?;
        let parent = out.parent().context("--out has no folder")?.to_owned();
        let pack = Self { out, parent, name };
        let folder = pack.folder();
        if folder.exists() {
            ensure!(
                folder.join("run.sh").is_file(),
                "{} exists and is not a pack: remove it, or give another --out",
                folder.display()
            );
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        // Copied first: it marks the folder as a pack even if packing is interrupted.
        copy(script, &folder.join("run.sh"))?;
        Ok(pack)
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    /// Hashes and compresses the folder. Fails if the archive is larger than the limit.
    pub(super) fn end(&self) -> anyhow::Result<()> {
        let folder = self.folder();
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
        .arg(&self.out)
        .arg("--directory")
        .arg(&self.parent)
        .arg(&self.name);
        must(&mut tar)?;
        let archive = size(&self.out);
        print(&format!(
            "{}: {archive} bytes, sha256 {}\nunpack it and run {}/run.sh OUT",
            self.out.display(),
            artifact::sha256(&artifact::read(&self.out)?),
            self.name
        ));
        ensure!(
            archive < LIMIT_BYTES,
            "the archive has {archive} bytes, the limit is {LIMIT_BYTES}"
        );
        Ok(())
    }
}

/// Size of the file `path` in bytes.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
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

pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
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
        fs::create_dir_all(folder.path().join("configs")).unwrap();
        fs::write(folder.path().join("configs/b.toml"), "b").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        hashes(folder.path()).unwrap();
        let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
        // Hashes of the empty file and of `b`, as sha256sum computes them.
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
            3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  configs/b.toml\n";
        assert_eq!(sums, expected);
    }
}
