//! The workspace's programs, run as a user runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program said, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The result.
    pub(crate) stdout: String,
    /// The talk.
    pub(crate) stderr: String,
}

impl Answer {
    /// The result as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("stdout is not JSON ({e}): {self:?}"))
    }

    /// Fails unless the program ended with `code`.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies in the workspace")
}

/// Runs the program `name` in the repository's root, with nothing on stdin.
pub(crate) fn run(name: &str, args: &[&str]) -> Answer {
    finish(command(name).args(args))
}

/// The program `name`, or a subcommand such as `tailfold quantize`, to be run in the repository's root.
pub(crate) fn command(name: &str) -> Command {
    let mut words = name.split(' ');
    let mut command = Command::new(program(words.next().unwrap_or_default()));
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// `cargo xtask` without its build: the programs are there and newer than their sources, and a build inside a test would
/// wait for whatever else is being built.
pub(crate) fn xtask() -> Command {
    programs();
    let mut command = command("xtask");
    // Does nothing and succeeds.
    command.env("CARGO", "true");
    command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    command
}

/// The folder of `tailfold`, `tailfold-lab` and `tailfold-train`, for a PATH.
pub(crate) fn programs() -> PathBuf {
    for name in ["tailfold-lab", "tailfold-train"] {
        program(name);
    }
    let mut path = program("tailfold");
    path.pop();
    path
}

/// Runs `command` to its end.
pub(crate) fn finish(command: &mut Command) -> Answer {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    let text = |bytes| String::from_utf8(bytes).expect("programs speak UTF-8");
    Answer {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Path of the program `name`, beside this test binary's folder. It must be there and newer than its sources: `cargo
/// test` alone does not build the programs of other packages, and an old one would pass for the new.
fn program(name: &str) -> PathBuf {
    const BUILD: &str = "run `cargo build --workspace --bins` first";
    let own = std::env::current_exe().expect("a running program has a path");
    let folder = own.ancestors().nth(2).expect("target/PROFILE/deps/it-HASH");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not there: {BUILD}", path.display());
    if let Some(source) = newer_source(&path) {
        panic!(
            "{} is older than {}: {BUILD}",
            path.display(),
            source.display()
        );
    }
    path
}

/// A source of `program` that was changed or removed after it was built, by the list that cargo writes beside it.
fn newer_source(program: &Path) -> Option<PathBuf> {
    let list = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.lines().next()?.split_once(": ")?;
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    let built = changed(program).ok()?;
    sources
        .replace("\\ ", "\0")
        .split(' ')
        .map(|source| PathBuf::from(source.replace('\0', " ")))
        .find(|source| changed(source).map_or(true, |changed| changed > built))
}
