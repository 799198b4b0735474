//! `cargo xtask ci` and `tidy`: what must hold, cheapest first.

mod skips;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use tailfold_console::process::{must, status};
use tailfold_console::{print, say};

use crate::process::{build, cargo, root};
use crate::{cross, debian, demo, package};

/// Run formatting, lints, documentation, tests, the packages of the public libraries, the tests of the kernels on emulated ARM, the outside
/// judges and the demo, cheapest first; the first failure ends it.
///
/// Example: cargo xtask ci --no-demo
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the demo out (it trains six networks).
    #[arg(long)]
    no_demo: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = root()?;
    if !holds("fmt", cargo().args(["fmt", "--all", "--check"]))? {
        return Ok(ExitCode::from(1));
    }
    let mut skips = Vec::new();
    let no_cross = debian::missing();
    // Later steps wait for the network and compiling does not: what they need is fetched meanwhile.
    thread::scope(|scope| {
        let toolchain = no_cross.is_none().then(|| scope.spawn(cross::fetch));
        let python = scope.spawn(|| environment(&root));
        if !compiled_steps(&root, &mut skips)? {
            return Ok(ExitCode::from(1));
        }
        if let Some(why) = no_cross {
            skips.push(format!("skipped cross: {why}"));
        }
        if let Some(toolchain) = toolchain {
            say("--- cross");
            joined(toolchain)?;
            let start = Instant::now();
            let code = cross::run(&cross::Args::default())?;
            took("cross", start);
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        say("--- judges");
        if !judges(&root, &joined(python)?, &mut skips)? {
            return Ok(ExitCode::from(1));
        }
        if args.no_demo {
            skips.push("skipped demo: --no-demo".to_owned());
        } else {
            say("--- demo");
            let start = Instant::now();
            let code = demo::run(&demo::Args::default())?;
            took("demo", start);
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        skips.iter().for_each(|skip| say(skip));
        say(&format!(
            "ci: everything holds; {} checks skipped",
            skips.len()
        ));
        Ok(ExitCode::SUCCESS)
    })
}

/// Lints, documentation, tests and packages; false when one does not hold.
fn compiled_steps(root: &Path, skips: &mut Vec<String>) -> anyhow::Result<bool> {
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    let small = [
        "clippy",
        "--package",
        "tailfold-cli",
        "--no-default-features",
        "--",
        "--deny",
        "warnings",
    ];
    for (name, arguments) in [("clippy", &clippy[..]), ("clippy without tract", &small)] {
        if !holds(name, cargo().args(arguments))? {
            return Ok(false);
        }
    }
    let mut doc = cargo();
    doc.args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "--deny warnings");
    if !holds("doc", &mut doc)? {
        return Ok(false);
    }
    let mut test = cargo();
    test.args(["test", "--workspace"]).current_dir(root);
    if !holds_with_skips("test", &mut test, skips)? {
        return Ok(false);
    }
    holds("package", &mut package::verify(root)?)
}

/// What `thread` found, or its panic.
fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
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

/// Runs a check; false when it ran and does not hold.
fn holds(name: &str, command: &mut Command) -> anyhow::Result<bool> {
    say(&format!("--- {name}"));
    let start = Instant::now();
    let success = status(command)?.success();
    took(name, start);
    Ok(success)
}

/// As [`holds`]; adds the checks that `command` skipped to `skips`.
fn holds_with_skips(
    name: &str,
    command: &mut Command,
    skips: &mut Vec<String>,
) -> anyhow::Result<bool> {
    say(&format!("--- {name}"));
    let start = Instant::now();
    let success = skips::run(command, skips)?.success();
    took(name, start);
    Ok(success)
}

fn took(name: &str, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    say(&format!("--- {name} took {seconds:.0} s"));
}

/// The Python of the judges' virtual environment, which has their pinned versions.
fn environment(root: &Path) -> anyhow::Result<PathBuf> {
    let venv = root.join(".venv");
    let python = venv.join("bin/python");
    // A half-made environment has a Python but no pip.
    if !venv.join("bin/pip").exists() {
        must(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
    }
    let requirements = root.join("tests/judges/requirements.txt");
    must(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(requirements),
    )?;
    Ok(python)
}

/// The judges from outside.
fn judges(root: &Path, python: &Path, skips: &mut Vec<String>) -> anyhow::Result<bool> {
    let program = build("tailfold")?;
    let programs = program.parent().context("the programs have no folder")?;
    let mut judge = Command::new(python);
    judge
        .arg(root.join("tests/judges/judge.py"))
        .arg("--bin-dir")
        .arg(programs)
        .current_dir(root);
    holds_with_skips("judges: verdict", &mut judge, skips)
}
