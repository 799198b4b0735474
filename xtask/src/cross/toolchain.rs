//! What cross-compiling for 64-bit ARM takes: a compiler, a linker and an emulator.
//!
//! Debian has a standard library of Rust for every architecture. Programs are linked statically, so that the emulator needs no
//! libraries of the other architecture at run time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::debian::{self, Packages};

const PACKAGES: Packages = Packages {
    whole: &[
        "rustc-web",
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
        "qemu-user-static",
    ],
    // The standard library.
    alone: &["libstd-rust-web-dev:arm64"],
    megabytes: 310,
};

const EMULATOR: &str = "qemu-aarch64-static";

/// Where the toolchain is.
#[derive(Debug)]
pub(super) struct Toolchain(debian::Toolchain);

impl Toolchain {
    /// The one in `folder`, which is downloaded unless it is there.
    pub(super) fn prepared(folder: &Path) -> anyhow::Result<Self> {
        debian::Toolchain::prepared(folder, &PACKAGES, |root| {
            only_emulator(&root.join("usr/bin"))
        })
        .map(Self)
    }

    pub(super) fn emulator(&self) -> PathBuf {
        self.0.root().join("usr/bin").join(EMULATOR)
    }

    /// Makes `cargo` build for `target` with it.
    pub(super) fn applied(&self, target: &str, cargo: &mut Command) {
        let linker = "usr/bin/aarch64-linux-gnu-gcc";
        self.0
            .applied(target, linker, "-Ctarget-feature=+crt-static", cargo);
    }
}

/// Removes the emulators of other processors, which take a quarter of the space.
fn only_emulator(programs: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(programs)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("qemu-") && name != EMULATOR {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
