//! The Python environment of the cross-checks.

use std::path::{Path, PathBuf};
use std::process::Command;

use tailfold_console::process::must;

/// Creates `.venv` with the pinned packages of the cross-checks, and returns its interpreter.
pub(super) fn environment(root: &Path) -> anyhow::Result<PathBuf> {
    let venv = root.join(".venv");
    let python = venv.join("bin/python");
    // An environment whose creation was interrupted has an interpreter but no pip.
    if !venv.join("bin/pip").exists() {
        must(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
    }
    must(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(root.join("tests/judges/requirements.txt")),
    )?;
    Ok(python)
}
