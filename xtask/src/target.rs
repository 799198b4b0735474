//! Targets of builds, with their toolchains.
//!
//! Debian has Rust's standard library as a binary for some targets, and as sources for the others. Programs are linked
//! statically, so that an emulator or a board needs no libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::debian::{self, Packages, Toolchain};
use crate::process::root;

/// A kind of machine for which programs are built.
#[derive(Debug)]
pub(crate) struct Target {
    /// Name of the target in Rust.
    pub(crate) name: &'static str,
    /// Processor models for the emulator, each with the value of `TAILFOLD_ISA` for its instruction set.
    pub(crate) processors: &'static [(&'static str, &'static str)],
    /// The toolchain; `None` for this machine's own toolchain.
    cross: Option<Cross>,
}

#[derive(Debug)]
struct Cross {
    packages: Packages,
    linker: &'static str,
    emulator: &'static str,
    /// Whether the standard library is compiled from its sources.
    builds_std: bool,
}

pub(crate) const AARCH64: &str = "aarch64-unknown-linux-gnu";

pub(crate) static TARGETS: [Target; 3] = [
    Target {
        name: AARCH64,
        processors: &[("cortex-a53", "neon"), ("cortex-a76", "neon-dotprod")],
        cross: Some(Cross {
            packages: Packages {
                whole: &[
                    "rustc-web",
                    "gcc-aarch64-linux-gnu",
                    "libc6-dev-arm64-cross",
                    "qemu-user-static",
                ],
                alone: &["libstd-rust-web-dev:arm64"],
                megabytes: 310,
            },
            linker: "usr/bin/aarch64-linux-gnu-gcc",
            emulator: "qemu-aarch64-static",
            builds_std: false,
        }),
    },
    Target {
        name: "armv7-unknown-linux-gnueabihf",
        processors: &[("cortex-a7", "portable")],
        cross: Some(Cross {
            packages: Packages {
                whole: &[
                    "rustc-web",
                    "rust-web-src",
                    "gcc-arm-linux-gnueabihf",
                    "libc6-dev-armhf-cross",
                    "qemu-user-static",
                ],
                alone: &[],
                megabytes: 330,
            },
            linker: "usr/bin/arm-linux-gnueabihf-gcc",
            emulator: "qemu-arm-static",
            builds_std: true,
        }),
    },
    Target {
        name: "x86_64-unknown-linux-gnu",
        processors: &[],
        cross: None,
    },
];

/// Names of the targets that need an emulator.
pub(crate) const FOREIGN: [&str; 2] = [AARCH64, "armv7-unknown-linux-gnueabihf"];

impl Target {
    /// The target with the name `name`.
    pub(crate) fn named(name: &str) -> anyhow::Result<&'static Self> {
        let known = || {
            TARGETS
                .iter()
                .map(|t| t.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        TARGETS
            .iter()
            .find(|target| target.name == name)
            .with_context(|| format!("there is no target `{name}`: expected one of {}", known()))
    }

    /// The reason why this machine cannot build for the target, if there is one.
    pub(crate) fn missing(&self) -> Option<String> {
        self.cross.as_ref().and_then(|_| debian::missing())
    }

    /// Folder of the target's toolchain and build.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(root()?.join("target/cross").join(self.name))
    }

    /// The toolchain, which is downloaded unless it is already there; `None` for this machine's own toolchain.
    pub(crate) fn toolchain(&self) -> anyhow::Result<Option<Toolchain>> {
        let Some(cross) = &self.cross else {
            return Ok(None);
        };
        let folder = self.folder()?.join("toolchain");
        let finish = |root: &Path| only_emulator(&root.join("usr/bin"), cross.emulator);
        Toolchain::prepared(&folder, &cross.packages, finish).map(Some)
    }

    /// Makes `cargo` build statically linked programs for the target.
    pub(crate) fn applied(
        &self,
        toolchain: Option<&Toolchain>,
        cargo: &mut Command,
    ) -> anyhow::Result<()> {
        let flags = "-Ctarget-feature=+crt-static";
        cargo
            .args(["--target", self.name])
            .arg("--target-dir")
            .arg(self.folder()?.join("build"));
        match (&self.cross, toolchain) {
            (Some(cross), Some(toolchain)) => {
                toolchain.applied(self.name, cross.linker, flags, cargo);
                if cross.builds_std {
                    cargo
                        .args(["-Z", "build-std=std,panic_abort,test"])
                        .env("RUSTC_BOOTSTRAP", "1");
                }
            }
            _ => {
                let key = self.name.to_uppercase().replace('-', "_");
                cargo.env(format!("CARGO_TARGET_{key}_RUSTFLAGS"), flags);
            }
        }
        Ok(())
    }

    /// The command that runs `program`, on an emulated `processor` unless the target is this machine.
    pub(crate) fn started(
        &self,
        toolchain: Option<&Toolchain>,
        processor: &str,
        program: &Path,
    ) -> Command {
        match (&self.cross, toolchain) {
            (Some(cross), Some(toolchain)) => {
                let mut command =
                    Command::new(toolchain.root().join("usr/bin").join(cross.emulator));
                command.args(["-cpu", processor]).arg(program);
                command
            }
            _ => Command::new(program),
        }
    }
}

/// Removes all emulators except `emulator`, which saves a quarter of the space.
fn only_emulator(programs: &Path, emulator: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(programs)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("qemu-") && name != emulator {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_their_names() {
        for name in FOREIGN {
            assert!(Target::named(name).unwrap().cross.is_some(), "{name}");
        }
        let error = Target::named("sparc").unwrap_err().to_string();
        assert!(
            error.contains("sparc") && error.contains(AARCH64),
            "{error}"
        );
    }
}
