//! `cargo xtask cross`: tests the integer kernels and the program `tailfold` on emulated processors.

mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};
use tailfold_console::process::shown;
use tailfold_console::{print, say};

use crate::debian::Toolchain;
use crate::process::{cargo, root};
use crate::target::{AARCH64, FOREIGN, Target};

/// Test the integer kernels and `tailfold` without tract in an emulator of another processor.
///
/// The tests run once per model of the processor. The logits of `tailfold` must have the same bits as the golden
/// logits, which are the same on this machine.
///
/// The first run downloads a compiler, a linker and the emulator from Debian (310 MB) to `target/cross`. It installs
/// nothing and leaves this machine's Rust toolchain unchanged.
///
/// Example: cargo xtask cross --target aarch64-unknown-linux-gnu
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Target to build for.
    #[arg(long, default_value = AARCH64, value_parser = FOREIGN)]
    target: String,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            target: AARCH64.to_owned(),
        }
    }
}

/// The crates whose arithmetic depends on the processor.
const PACKAGES: [&str; 2] = ["tailfold-kernels", "tailfold-integer"];

/// Random cases per property test. Hundreds run natively; there are fewer here because an emulator is slow.
const CASES: &str = "32";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let target = Target::named(&args.target)?;
    if let Some(why) = target.missing() {
        bail!("cannot build for {}: {why}", target.name);
    }
    let root = root()?;
    let toolchain = target.toolchain()?;
    let toolchain = toolchain.as_ref();
    let tests = build(&root, toolchain, target)?;
    let tailfold = program::build(&root, toolchain, target)?;
    say(&format!(
        "{CASES} random cases per property, because an emulator is slow"
    ));
    let mut holds = true;
    for (processor, unit) in target.processors {
        for (package, program) in PACKAGES.iter().zip(&tests) {
            let mut tests = target.started(toolchain, processor, program);
            tests.env("TAILFOLD_ISA", unit).env("PROPTEST_CASES", CASES);
            holds &= passes(&format!("{processor} ({unit}), {package}"), &mut tests)?;
        }
        let start = || target.started(toolchain, processor, &tailfold);
        holds &= program::holds(&format!("{processor} ({unit}), tailfold"), &root, &start)?;
    }
    Ok(ExitCode::from(u8::from(!holds)))
}

/// Downloads the toolchain for [`run`] unless it is already there.
pub(crate) fn fetch() -> anyhow::Result<()> {
    Target::named(AARCH64)?.toolchain()?;
    Ok(())
}

/// Options of cargo that compile faster, for programs that run only a few times in an emulator.
const QUICK: [&str; 6] = [
    "--config",
    "profile.dev.opt-level=1",
    "--config",
    "profile.dev.package.tailfold-kernels.opt-level=3",
    "--config",
    "profile.dev.package.tailfold-integer.opt-level=2",
];

/// Builds the test programs of [`PACKAGES`], and returns them in the same order.
fn build(
    root: &Path,
    toolchain: Option<&Toolchain>,
    target: &Target,
) -> anyhow::Result<Vec<PathBuf>> {
    say(&format!("building the tests of {}", PACKAGES.join(", ")));
    let mut cargo = cargo();
    cargo
        .current_dir(root)
        .args(["test", "--quiet", "--no-run", "--lib"])
        .args(["--message-format", "json"])
        .args(QUICK)
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .stderr(Stdio::inherit());
    target.applied(toolchain, &mut cargo)?;
    let output = cargo
        .output()
        .with_context(|| format!("cannot run {}", shown(&cargo)))?;
    ensure!(output.status.success(), "{} failed", shown(&cargo));
    let messages = String::from_utf8_lossy(&output.stdout);
    PACKAGES
        .iter()
        .map(|package| {
            test_program(&messages, package).with_context(|| format!("{package} has no tests"))
        })
        .collect()
}

/// Finds the test program of `package` in cargo's JSON messages, one per line.
fn test_program(messages: &str, package: &str) -> Option<PathBuf> {
    let library = package.replace('-', "_");
    messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_its_test =
            message["profile"]["test"] == true && message["target"]["name"] == library.as_str();
        let program = message["executable"].as_str()?;
        is_its_test.then(|| PathBuf::from(program))
    })
}

/// Runs a test program and prints its last line. If it fails, its whole output goes to the log.
fn passes(name: &str, tests: &mut Command) -> anyhow::Result<bool> {
    let begin = std::time::Instant::now();
    let output = tests
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", shown(tests)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        say(text.trim_end());
        print(&format!("{name}: failed ({})", output.status));
        return Ok(false);
    }
    let (count, closing) = passed(&text).with_context(|| format!("{name}: no result"))?;
    print(&format!(
        "{name}: {closing} ({} s in all)",
        begin.elapsed().as_secs()
    ));
    ensure!(count > 0, "{name}: no test ran");
    Ok(true)
}

/// Returns the number of passed tests and the result line without its beginning; `None` if the tests failed.
fn passed(text: &str) -> Option<(usize, &str)> {
    let closing = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("test result: ok. "))?;
    let count = closing.split_once(" passed")?.0.parse().ok()?;
    Some((count, closing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_read_from_result_line() {
        let text = "running 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n";
        assert_eq!(passed(text), Some((2, "2 passed; 0 failed; 0 ignored")));
        assert_eq!(passed("test result: FAILED. 1 passed; 1 failed"), None);
        assert_eq!(passed("Illegal instruction"), None);
    }

    #[test]
    fn test_program_is_found_in_cargo_messages() {
        let messages = r#"
            {"target":{"name":"one_two"},"profile":{"test":false},"executable":null}
            {"target":{"name":"other"},"profile":{"test":true},"executable":"a/other-1"}
            {"target":{"name":"one_two"},"profile":{"test":true},"executable":"a/one_two-1"}
            {"reason":"build-finished","success":true}
        "#;
        let program = Some(PathBuf::from("a/one_two-1"));
        assert_eq!(test_program(messages, "one-two"), program);
        assert_eq!(test_program(messages, "one"), None);
    }
}
