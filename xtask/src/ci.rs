//! `cargo xtask ci` and `tidy`: the checks of the repository, in three stages, cheapest first.

mod python;
mod skips;
mod steps;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context as _, ensure};
use tailfold_console::{print, say};

use crate::process::{build, cargo, root};
use crate::{cross, debian, demo, package};

use steps::{Stage, Steps};

/// Run the checks of the repository; the first failure ends the run.
///
/// Stage `quick`: formatting, lints, documentation, licences. Stage `full`: tests, packages of the public libraries. Stage
/// `slow`: kernels on an emulated ARM processor, cross-checks against independent implementations, the demo. The seconds of
/// each stage and the skipped checks are printed at the end.
///
/// Example: cargo xtask ci --quick
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the stage `quick` only: before a commit.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Run the stages `quick` and `full` only.
    #[arg(long)]
    full: bool,
}

impl Args {
    fn last(&self) -> Stage {
        match (self.quick, self.full) {
            (true, _) => Stage::Quick,
            (_, true) => Stage::Full,
            _ => Stage::Slow,
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::default();
    let result = stages(args.last(), &root()?, &mut steps);
    say(&steps.summary());
    let holds = result?;
    say(&steps.verdict());
    Ok(ExitCode::from(u8::from(!holds)))
}

/// Runs the stages up to `last`; false if a step does not hold.
fn stages(last: Stage, root: &Path, steps: &mut Steps) -> anyhow::Result<bool> {
    if !quick(steps)? {
        return Ok(false);
    }
    if last == Stage::Quick {
        return Ok(true);
    }
    let no_cross = debian::missing();
    // The stage `slow` downloads a toolchain and Python packages: that happens while the stage `full` compiles.
    thread::scope(|scope| {
        let is_slow = last == Stage::Slow;
        let toolchain = (is_slow && no_cross.is_none()).then(|| scope.spawn(cross::fetch));
        let python = is_slow.then(|| scope.spawn(|| python::environment(root)));
        if !full(root, steps)? {
            return Ok(false);
        }
        let Some(python) = python else {
            return Ok(true);
        };
        steps.begin(Stage::Slow);
        match (toolchain, no_cross) {
            (Some(toolchain), _) => {
                joined(toolchain)?;
                let holds = steps.time("cross", || cross::run(&cross::Args::default()))?;
                if !holds {
                    return Ok(false);
                }
            }
            (None, why) => steps.skip("cross", &why.unwrap_or_default()),
        }
        compared(root, &joined(python)?, steps)
    })
}

/// Runs the stage `quick`: formatting, lints, documentation, licences. Returns whether all steps hold.
fn quick(steps: &mut Steps) -> anyhow::Result<bool> {
    steps.begin(Stage::Quick);
    let clippy = |packages: &[&str]| {
        let mut clippy = cargo();
        clippy.arg("clippy").args(packages);
        clippy.args(["--", "--deny", "warnings"]);
        clippy
    };
    let mut doc = cargo();
    doc.args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "--deny warnings");
    let everything = ["--workspace", "--all-targets"];
    let small = ["--package", "tailfold-cli", "--no-default-features"];
    Ok(
        steps.check("fmt", cargo().args(["fmt", "--all", "--check"]))?
            && steps.check("clippy", &mut clippy(&everything))?
            && steps.check("clippy without tract", &mut clippy(&small))?
            && steps.check("doc", &mut doc)?
            && deny(steps)?,
    )
}

/// Checks licences, sources and bans with cargo-deny, or counts a skipped check if it is not installed.
fn deny(steps: &mut Steps) -> anyhow::Result<bool> {
    let version = cargo().args(["deny", "--version"]).output();
    if !version.is_ok_and(|version| version.status.success()) {
        let why =
            "cargo-deny is not installed; the test `tidy::licences` checks licences and sources";
        steps.skip("deny", why);
        return Ok(true);
    }
    let mut deny = cargo();
    deny.args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
    steps.check("deny", &mut deny)
}

/// Runs the stage `full`: tests, and the packages of the public libraries. Returns whether all steps hold.
fn full(root: &Path, steps: &mut Steps) -> anyhow::Result<bool> {
    steps.begin(Stage::Full);
    let mut test = cargo();
    test.args(["test", "--workspace"]).current_dir(root);
    Ok(steps.check("test", &mut test)? && steps.check("package", &mut package::verify(root)?)?)
}

/// Runs the cross-checks against independent implementations with the interpreter `python`, and the demo. Returns whether all
/// steps hold.
fn compared(root: &Path, python: &Path, steps: &mut Steps) -> anyhow::Result<bool> {
    let program = build("tailfold")?;
    let programs = program.parent().context("the programs have no folder")?;
    let mut judges = Command::new(python);
    judges
        .arg(root.join("tests/judges/judge.py"))
        .arg("--bin-dir")
        .arg(programs)
        .current_dir(root);
    Ok(steps.check("cross-checks", &mut judges)?
        && steps.time("demo", || demo::run(&demo::Args::default()))?)
}

/// Returns the result of `thread`, or passes its panic on.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs the workspace's invariants, which are tests.
pub(crate) fn tidy() -> anyhow::Result<ExitCode> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--test", "it", "--", "tidy"]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    print(text.trim_end());
    ensure!(
        !text.contains("running 0 tests"),
        "no invariant was checked"
    );
    Ok(ExitCode::from(u8::from(!output.status.success())))
}
