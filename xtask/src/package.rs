//! Packages of the public libraries, compiled as users get them from a registry.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;

use crate::process::cargo;

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    /// Registries that the package may go to: `None` for all of them, empty for a package that is never published.
    publish: Option<Vec<String>>,
}

/// The command `cargo package` for every package of the workspace that may be published.
///
/// cargo compiles each package, and its dependencies in the workspace, from their archives. All packages share one
/// build folder, so that each dependency is compiled once.
pub(crate) fn verify(root: &Path) -> anyhow::Result<Command> {
    let mut command = cargo();
    command
        .current_dir(root)
        // Uncommitted changes are packaged too.
        .args(["package", "--allow-dirty", "--target-dir"])
        .arg(root.join("target/packages"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    for name in published(root)? {
        command.args(["--package", &name]);
    }
    Ok(command)
}

/// Names of the packages that may be published.
fn published(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = cargo()
        .current_dir(root)
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("cargo metadata does not start")?;
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata gives no JSON")?;
    let packages = metadata.packages.into_iter();
    Ok(packages
        .filter(|package| {
            package
                .publish
                .as_ref()
                .is_none_or(|names| !names.is_empty())
        })
        .map(|package| package.name)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn public_libraries_are_packaged_and_programs_are_not() {
        let names = published(&root().unwrap()).unwrap();
        let packaged = |name: &str| names.iter().any(|other| other == name);
        for library in ["tailfold", "tailfold-parity", "tailfold-sdot"] {
            assert!(packaged(library), "{library} is not in {names:?}");
        }
        for other in ["tailfold-cli", "tailfold-tests", "tailfold-train", "xtask"] {
            assert!(!packaged(other), "{other} is in {names:?}");
        }
    }
}
