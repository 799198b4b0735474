//! `cargo xtask ci` and `tidy`: what must hold, cheapest first.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::ensure;

use crate::demo;
use crate::output::say;
use crate::process::{cargo, must, root};

/// Run formatting, lints, tests, the outside judges and the demo, cheapest first; the first failure ends it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the demo out (it trains six networks).
    #[arg(long)]
    no_demo: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = root()?;
    step(
        "fmt",
        Command::new(cargo()).args(["fmt", "--all", "--check"]),
    )?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    step("clippy", Command::new(cargo()).args(clippy))?;
    step("test", Command::new(cargo()).args(["test", "--workspace"]))?;
    judges(&root)?;
    if args.no_demo {
        say("skipped: demo (--no-demo)");
    } else {
        say("--- demo");
        ensure!(
            demo::run(&demo::Args::default())? == ExitCode::SUCCESS,
            "the demo does not hold"
        );
    }
    say("ci: everything holds");
    Ok(ExitCode::SUCCESS)
}

/// Runs the workspace's invariants, which are tests.
pub(crate) fn tidy() -> anyhow::Result<ExitCode> {
    step(
        "tidy",
        Command::new(cargo()).args(["test", "--workspace", "--test", "it", "--", "tidy"]),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn step(name: &str, command: &mut Command) -> anyhow::Result<()> {
    say(&format!("--- {name}"));
    must(command)
}

/// The judges from outside, in a virtual environment of their own with pinned versions.
fn judges(root: &Path) -> anyhow::Result<()> {
    let venv = root.join(".venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        step(
            "venv",
            Command::new("python3").args(["-m", "venv"]).arg(&venv),
        )?;
    }
    let requirements = root.join("tests/judges/requirements.txt");
    step(
        "judges: install",
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(requirements),
    )?;
    step(
        "judges",
        Command::new(&python)
            .arg(root.join("tests/judges/judge.py"))
            .current_dir(root),
    )?;
    ensure!(python.exists(), "the judges' Python went away");
    Ok(())
}
