//! Checks, before any work starts, that every output file can be written and overwrites no input file.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file and its role on the command line.
#[derive(Clone, Debug)]
pub struct NamedFile {
    role: String,
    path: PathBuf,
}

impl fmt::Display for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.path.display())
    }
}

/// An output file cannot be written, or writing it would destroy another file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The path of the output is a folder.
    #[error("{0} is a folder, expected a file to write")]
    Folder(NamedFile),
    /// A file exists at the path of a parent folder of the output.
    #[error("{output} cannot be written: {} is not a folder", parent.display())]
    NoFolder {
        /// The output.
        output: NamedFile,
        /// The file where a folder is expected.
        parent: PathBuf,
    },
    /// Two outputs are the same file.
    #[error("{output} is also {other}: give two files")]
    Twice {
        /// The output.
        output: NamedFile,
        /// The other output.
        other: NamedFile,
    },
    /// The output is also an input.
    #[error("{output} is the {input}, which would be lost: give another file to write")]
    Input {
        /// The output.
        output: NamedFile,
        /// The same file as an input.
        input: NamedFile,
    },
}

/// The output and input files of a command.
///
/// Inputs matter only if an output exists: a missing output cannot be an input.
#[derive(Debug, Default)]
pub struct OutputCheck {
    outputs: Vec<NamedFile>,
    inputs: Vec<NamedFile>,
}

impl OutputCheck {
    /// Adds a file to write; `option` is its role, such as `--out`.
    pub fn writes(&mut self, option: &str, path: impl Into<PathBuf>) {
        self.outputs.push(named(option, path));
    }

    /// Adds a file to read; `role` is its role, such as `file of --model`.
    pub fn reads(&mut self, role: &str, path: impl Into<PathBuf>) {
        self.inputs.push(named(role, path));
    }

    /// Returns the output files that exist.
    pub fn existing(&self) -> Vec<PathBuf> {
        let paths = self.outputs.iter().map(|output| &output.path);
        paths.filter(|path| path.exists()).cloned().collect()
    }

    /// Checks that no output file is also an input file or another output file, under any name or link.
    ///
    /// The parent of an output must be a folder or missing; missing folders are created when the file is written.
    ///
    /// # Errors
    /// [`OutputError`], which names the option and the path.
    pub fn check(&self) -> Result<(), OutputError> {
        for (index, output) in self.outputs.iter().enumerate() {
            if output.path.is_dir() {
                return Err(OutputError::Folder(output.clone()));
            }
            if let Some(parent) = not_a_folder(&output.path) {
                return Err(OutputError::NoFolder {
                    output: output.clone(),
                    parent: parent.to_owned(),
                });
            }
            let is_same = |file: &&NamedFile| same_file(&output.path, &file.path);
            if let Some(other) = self.outputs[..index].iter().find(is_same) {
                return Err(OutputError::Twice {
                    output: output.clone(),
                    other: other.clone(),
                });
            }
            if output.path.exists()
                && let Some(input) = self.inputs.iter().find(is_same)
            {
                return Err(OutputError::Input {
                    output: output.clone(),
                    input: input.clone(),
                });
            }
        }
        Ok(())
    }
}

fn named(role: &str, path: impl Into<PathBuf>) -> NamedFile {
    NamedFile {
        role: role.to_owned(),
        path: path.into(),
    }
}

/// Returns the nearest existing parent of `path` if it is not a folder.
fn not_a_folder(path: &Path) -> Option<&Path> {
    let mut parents = path.ancestors().skip(1);
    let nearest = parents.find(|p| !p.as_os_str().is_empty() && p.exists());
    nearest.filter(|parent| !parent.is_dir())
}

/// Returns whether both paths lead to the same file, including through symbolic or hard links, even if it does not
/// exist.
pub fn same_file(a: &Path, b: &Path) -> bool {
    let both = |f: fn(&Path) -> Option<PathBuf>| f(a).zip(f(b)).is_some_and(|(a, b)| a == b);
    both(|path| path.canonicalize().ok()) || both(absent) || hard_links(a, b)
}

/// Returns the absolute path of a missing file, whose folder may also be missing; `None` for an existing file.
fn absent(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    let parent = path.parent()?;
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    Some(parent.join(path.file_name()?))
}

#[cfg(unix)]
fn hard_links(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &Path| path.metadata().ok().map(|m| (m.dev(), m.ino()));
    of(a).zip(of(b)).is_some_and(|(a, b)| a == b)
}

#[cfg(not(unix))]
fn hard_links(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the error for the output `out` and the input `model.onnx`, without the path of their folder.
    fn error(out: &str, prepare: impl Fn(&Path)) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("model.onnx"), "model").unwrap();
        prepare(dir.path());
        let mut files = OutputCheck::default();
        files.writes("--list", dir.path().join("list.csv"));
        files.writes("--out", dir.path().join(out));
        files.reads("file of --model", dir.path().join("model.onnx"));
        let folder = format!("{}/", dir.path().display());
        let error = files.check().err();
        error.map(|error| error.to_string().replace(&folder, ""))
    }

    #[test]
    fn output_that_is_an_input_is_refused_through_any_link() {
        let lost = |out: &str| {
            format!(
                "--out {out} is the file of --model model.onnx, which would be lost: give another file to write"
            )
        };
        assert_eq!(error("new.onnx", |_| {}), None);
        // A missing input causes its own error elsewhere.
        let gone = |dir: &Path| fs::remove_file(dir.join("model.onnx")).unwrap();
        assert_eq!(error("model.onnx", gone), None);
        assert_eq!(error("model.onnx", |_| {}), Some(lost("model.onnx")));
        let hard = |dir: &Path| fs::hard_link(dir.join("model.onnx"), dir.join("b.onnx")).unwrap();
        #[cfg(unix)]
        {
            assert_eq!(error("b.onnx", hard), Some(lost("b.onnx")));
            let soft = |dir: &Path| {
                std::os::unix::fs::symlink(dir.join("model.onnx"), dir.join("c.onnx")).unwrap();
            };
            assert_eq!(error("c.onnx", soft), Some(lost("c.onnx")));
        }
    }

    #[test]
    fn output_that_cannot_be_written_is_refused() {
        let check = |out: &str, expect: &str| {
            let folder = |dir: &Path| fs::create_dir(dir.join("folder")).unwrap();
            assert_eq!(error(out, folder).as_deref(), Some(expect));
        };
        check(
            "folder",
            "--out folder is a folder, expected a file to write",
        );
        check(
            "model.onnx/out.onnx",
            "--out model.onnx/out.onnx cannot be written: model.onnx is not a folder",
        );
        check(
            "list.csv",
            "--out list.csv is also --list list.csv: give two files",
        );
    }
}
