//! Toolchains from Debian packages, each in its own folder.
//!
//! Packages are unpacked, not installed. So this needs no root rights, and it leaves the machine's packages and
//! architectures and rustup's toolchains unchanged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use tailfold_console::say;

use tailfold_console::process::must;

/// Packages of a toolchain.
#[derive(Debug)]
pub(crate) struct Packages {
    /// Packages that are unpacked with all of their dependencies, even if some are installed.
    pub(crate) whole: &'static [&'static str],
    /// Packages that are unpacked without dependencies, possibly of another architecture.
    pub(crate) alone: &'static [&'static str],
    /// Size of the download for all packages.
    pub(crate) megabytes: u32,
}

/// Configuration of apt for separate lists and a separate cache, with both architectures.
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

/// Unpacked packages in a folder, including a Rust compiler.
#[derive(Debug)]
pub(crate) struct Toolchain {
    folder: PathBuf,
}

/// The reason why this machine cannot use the packages, if there is one.
pub(crate) fn missing() -> Option<String> {
    use std::env::consts::{ARCH, OS};
    if (ARCH, OS) != ("x86_64", "linux") {
        return Some(format!(
            "this is {ARCH} {OS}, and the packages are for x86_64 linux"
        ));
    }
    if !Path::new("/etc/debian_version").exists() {
        return Some("this is not Debian, and the toolchain needs Debian packages".to_owned());
    }
    ["apt-get", "dpkg-deb"].into_iter().find_map(|program| {
        let version = Command::new(program).arg("--version").output();
        version
            .is_err()
            .then(|| format!("there is no `{program}` here"))
    })
}

impl Toolchain {
    /// Opens the toolchain in `folder`, which is downloaded unless it is already there.
    ///
    /// `finish` receives the folder of the unpacked files before the toolchain counts as complete.
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
            // The folder gets its final name when it is complete.
            let part = folder.join("root.part");
            if part.exists() {
                fs::remove_dir_all(&part).context("cannot remove a part of a toolchain")?;
            }
            say(&format!("unpacking {} packages", packages.len()));
            // The compiler runs with the machine's C library, which must match the machine's loader.
            for package in packages.iter().filter(|path| !is_of(path, "libc6")) {
                must(Command::new("dpkg-deb").arg("-x").arg(package).arg(&part))?;
            }
            finish(&part)?;
            fs::rename(&part, &root).context("cannot rename the folder of the toolchain")?;
            fs::remove_dir_all(folder.join("cache")).context("cannot remove the packages")?;
        }
        let rustc = toolchain.rustc();
        fs::write(&rustc, RUSTC).context("cannot write the compiler's script")?;
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
        Ok(toolchain)
    }

    /// Downloads the packages and returns their files.
    fn downloaded(&self, packages: &Packages) -> anyhow::Result<Vec<PathBuf>> {
        let [lists, cache] = ["lists", "cache"].map(|name| self.folder.join(name));
        let archives = cache.join("archives");
        for folder in [&lists, &archives] {
            fs::create_dir_all(folder.join("partial"))
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let config = self.folder.join("apt.conf");
        // An empty status file makes apt download dependencies that are installed.
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

    /// Folder of the unpacked files.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn rustc(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// Makes `cargo` use this compiler and, for `target`, the linker at the path `linker` below the root, and `flags`.
    pub(crate) fn applied(&self, target: &str, linker: &str, flags: &str, cargo: &mut Command) {
        let key = target.to_uppercase().replace('-', "_");
        cargo
            .env("RUSTC", self.rustc())
            .env(
                format!("CARGO_TARGET_{key}_LINKER"),
                self.root().join(linker),
            )
            .env(format!("CARGO_TARGET_{key}_RUSTFLAGS"), flags);
        // These variables would override the flags for the target.
        for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(flags);
        }
    }
}

/// Whether the file at `path` belongs to the package `name`.
fn is_of(path: &Path, name: &str) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    file.split('_').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_recognised_by_file_name() {
        let gcc = Path::new("a/gcc-aarch64-linux-gnu_4%3a12.2.0-3_amd64.deb");
        assert!(is_of(gcc, "gcc-aarch64-linux-gnu"));
        assert!(!is_of(gcc, "gcc"));
    }
}
