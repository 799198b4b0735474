//! The completion scripts and manual pages that come with a program.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tailfold_console::process::{must, shown};
use tailfold_spec::artifact;

/// Each shell with the file name under which it looks for the completion of `tailfold`.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "tailfold.bash"),
    ("elvish", "tailfold.elv"),
    ("fish", "tailfold.fish"),
    ("powershell", "_tailfold.ps1"),
    ("zsh", "_tailfold"),
];

/// Writes `completions/` and `man/man1/` to `folder`, with the program `tailfold`, which must run on this machine.
pub(super) fn write(tailfold: &Path, folder: &Path) -> anyhow::Result<()> {
    for (shell, file) in SHELLS {
        let mut command = Command::new(tailfold);
        command.args(["completions", shell]);
        let name = shown(&command);
        let output = command.output();
        let output = output.with_context(|| format!("cannot run {name}"))?;
        ensure!(
            output.status.success() && !output.stdout.is_empty(),
            "{name} printed no script: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        artifact::write(&folder.join("completions").join(file), &output.stdout)?;
    }
    let manual = folder.join("man/man1");
    must(Command::new(tailfold).args(["man", "--out"]).arg(&manual))?;
    let first = manual.join("tailfold.1");
    ensure!(first.is_file(), "{} was not written", first.display());
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use walkdir::WalkDir;

    use super::*;

    /// A script in `folder` that stands in for `tailfold`.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn folder_gets_a_script_per_shell_and_the_manual() {
        let (scripts, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tailfold = program(
            scripts.path(),
            "case $1 in completions) echo \"for $2\";; man) mkdir -p \"$3\"; echo page > \"$3/tailfold.1\";; esac",
        );
        write(&tailfold, out.path()).unwrap();
        let files = WalkDir::new(out.path()).sort_by_file_name();
        let files: Vec<String> = files
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(out.path()).unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                format!("{}: {}", path.display(), text.trim_end())
            })
            .collect();
        let expected = [
            "completions/_tailfold: for zsh",
            "completions/_tailfold.ps1: for powershell",
            "completions/tailfold.bash: for bash",
            "completions/tailfold.elv: for elvish",
            "completions/tailfold.fish: for fish",
            "man/man1/tailfold.1: page",
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn program_without_help_files_is_an_error() {
        let scripts = tempfile::tempdir().unwrap();
        for script in [
            "echo no such command >&2; exit 2",
            "exit 0",
            "echo a script",
        ] {
            let tailfold = program(scripts.path(), script);
            assert!(
                write(&tailfold, &scripts.path().join("out")).is_err(),
                "{script}"
            );
        }
    }
}
