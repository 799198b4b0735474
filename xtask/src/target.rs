//! Machines that programs are built for here, and what that takes.
//!
//! Debian has a standard library of Rust for some, and its sources for the others. Programs are linked statically, so that
//! an emulator, and a board, need no libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::debian::{self, Packages, Toolchain};
use crate::process::root;

/// A machine that programs are built for.
#[derive(Debug)]
pub(crate) struct Target {
    /// Rust's name.
    pub(crate) name: &'static str,
    /// Kinds of its processor that an emulator can be, and the vector unit of each.
    pub(crate) processors: &'static [(&'static str, &'static str)],
    /// What builds for it; this machine's own toolchain without.
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

/// Names of those that are not this machine.
pub(crate) const FOREIGN: [&str; 2] = [AARCH64, "armv7-unknown-linux-gnueabihf"];

impl Target {
    /// The one of this `name`.
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

    /// Why this machine cannot build for it.
    pub(crate) fn missing(&self) -> Option<String> {
        self.cross.as_ref().and_then(|_| debian::missing())
    }

    /// Folder of what is downloaded and built for it.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(root()?.join("target/cross").join(self.name))
    }

    /// What builds for it, downloaded unless it is there; none where this machine's own does.
    pub(crate) fn toolchain(&self) -> anyhow::Result<Option<Toolchain>> {
        let Some(cross) = &self.cross else {
            return Ok(None);
        };
        let folder = self.folder()?.join("toolchain");
        let finish = |root: &Path| only_emulator(&root.join("usr/bin"), cross.emulator);
        Toolchain::prepared(&folder, &cross.packages, finish).map(Some)
    }

    /// Makes `cargo` build for it, statically.
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

    /// `program` on `processor` of it, in the emulator where it is not this machine.
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

/// Removes the emulators of other processors, which take a quarter of the space.
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
