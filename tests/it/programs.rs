//! The workspace's programs, run as a user runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code and output of a program.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// The result.
    pub(crate) stdout: String,
    /// The log output.
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

/// The command `cargo xtask` without its builds, which would wait for other builds. The programs must be built already.
pub(crate) fn xtask() -> Command {
    programs();
    let mut command = command("xtask");
    // The program `true` replaces cargo: it does nothing and succeeds.
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

/// Runs `command` and waits for its end.
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

/// Path of the program `name`, in the parent of this test binary's folder.
///
/// The program must exist and be newer than its sources, because `cargo test` does not build programs of other
/// packages, and a test of an old program would prove nothing.
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

/// A source of `program` that was changed or removed after the build, according to cargo's list of sources.
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
