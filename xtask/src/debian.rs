//! Compilers of Debian's, in a folder of their own.
//!
//! Packages are unpacked, not installed: that takes no root, changes neither the machine's packages nor its architectures, and
//! leaves rustup's toolchain alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use tailfold_console::say;

use tailfold_console::process::must;

/// What is unpacked.
#[derive(Debug)]
pub(crate) struct Packages {
    /// Packages that come with what they need, whatever is installed.
    pub(crate) whole: &'static [&'static str],
    /// Packages that come alone, of another architecture perhaps.
    pub(crate) alone: &'static [&'static str],
    /// What is downloaded for all of them.
    pub(crate) megabytes: u32,
}

/// apt with lists and a cache of its own, which know both architectures.
const APT: &str = r#"
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "";
Debug::NoLocking "1";
"#;

const RUSTC: &str = r#"#!/bin/sh
root=$(dirname "$0")/root
LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" exec "$root/usr/bin/rustc" "$@"
"#;

/// Packages in a folder, a Rust compiler among them.
#[derive(Debug)]
pub(crate) struct Toolchain {
    folder: PathBuf,
}

/// Why this machine cannot have it.
pub(crate) fn missing() -> Option<String> {
    use std::env::consts::{ARCH, OS};
    if (ARCH, OS) != ("x86_64", "linux") {
        return Some(format!(
            "this is {ARCH} {OS}, and the packages are for x86_64 linux"
        ));
    }
    if !Path::new("/etc/debian_version").exists() {
        return Some("this is not Debian, whose packages are used".to_owned());
    }
    ["apt-get", "dpkg-deb"].into_iter().find_map(|program| {
        let version = Command::new(program).arg("--version").output();
        version
            .is_err()
            .then(|| format!("there is no `{program}` here"))
    })
}

impl Toolchain {
    /// The one in `folder`, which is downloaded unless it is there.
    ///
    /// `finish` is given the folder of what was unpacked, before anybody can take it for whole.
    pub(crate) fn prepared(
        folder: &Path,
        packages: &Packages,
        finish: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let toolchain = Self {
            folder: folder.to_owned(),
        };
        let root = toolchain.root();
        if !root.exists() {
            say(&format!(
                "downloading a toolchain to {} ({} MB, once)",
                folder.display(),
                packages.megabytes
            ));
            let packages = toolchain.downloaded(packages)?;
            // The folder gets its name when it is whole.
            let part = folder.join("root.part");
            if part.exists() {
                fs::remove_dir_all(&part).context("cannot remove a part of a toolchain")?;
            }
            say(&format!("unpacking {} packages", packages.len()));
            // The C library must be the one that the machine's loader is of.
            for package in packages.iter().filter(|path| !is_of(path, "libc6")) {
                must(Command::new("dpkg-deb").arg("-x").arg(package).arg(&part))?;
            }
            finish(&part)?;
            fs::rename(&part, &root).context("cannot name the toolchain")?;
            fs::remove_dir_all(folder.join("cache")).context("cannot remove the packages")?;
        }
        let rustc = toolchain.rustc();
        fs::write(&rustc, RUSTC).context("cannot write the compiler's script")?;
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
        Ok(toolchain)
    }

    /// Downloads the packages, and says where they are.
    fn downloaded(&self, packages: &Packages) -> anyhow::Result<Vec<PathBuf>> {
        let [lists, cache] = ["lists", "cache"].map(|name| self.folder.join(name));
        let archives = cache.join("archives");
        for folder in [&lists, &archives] {
            fs::create_dir_all(folder.join("partial"))
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let config = self.folder.join("apt.conf");
        // What is installed here, as apt is to see it: nothing.
        let status = self.folder.join("status");
        fs::write(&status, "").with_context(|| format!("cannot write {}", status.display()))?;
        let text = format!(
            "{APT}Dir::State::Lists {lists:?};\nDir::State::status {status:?};\nDir::Cache {cache:?};\n"
        );
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        let apt = |arguments: &[&str], packages: &[&str]| {
            let mut apt = Command::new("apt-get");
            apt.env("APT_CONFIG", &config)
                .arg("--quiet=2")
                .args(arguments)
                .args(packages)
                .current_dir(&archives);
            must(&mut apt)
        };
        apt(&["update"], &[])?;
        let install = [
            "--yes",
            "--download-only",
            "--no-install-recommends",
            "install",
        ];
        apt(&install, packages.whole)?;
        if !packages.alone.is_empty() {
            apt(&["download"], packages.alone)?;
        }
        let mut packages = Vec::new();
        for entry in fs::read_dir(&archives)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "deb") {
                packages.push(path);
            }
        }
        Ok(packages)
    }

    /// Where the packages' files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn rustc(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// Makes `cargo` build with it, and for `target` with the linker at `linker` below its root and with `flags`.
    pub(crate) fn applied(&self, target: &str, linker: &str, flags: &str, cargo: &mut Command) {
        let key = target.to_uppercase().replace('-', "_");
        cargo
            .env("RUSTC", self.rustc())
            .env(
                format!("CARGO_TARGET_{key}_LINKER"),
                self.root().join(linker),
            )
            .env(format!("CARGO_TARGET_{key}_RUSTFLAGS"), flags);
        // Flags for every target would take the place of these.
        for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(flags);
        }
    }
}

/// Whether the file at `path` is the package `name`.
fn is_of(path: &Path, name: &str) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    file.split('_').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_known_by_its_file() {
        let gcc = Path::new("a/gcc-aarch64-linux-gnu_4%3a12.2.0-3_amd64.deb");
        assert!(is_of(gcc, "gcc-aarch64-linux-gnu"));
        assert!(!is_of(gcc, "gcc"));
    }
}
