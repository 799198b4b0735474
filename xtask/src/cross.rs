//! `cargo xtask cross`: the integer kernels and the program `tailfold` on processors that this machine is not.

mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};
use tailfold_console::process::shown;
use tailfold_console::{print, say};

use crate::debian::Toolchain;
use crate::process::{cargo, root};
use crate::target::{AARCH64, FOREIGN, Target};

/// Build the tests of the integer kernels, and `tailfold` without tract, for another processor, and run them in an emulator
/// as each kind of it. The program's logits must be the golden ones, which are this machine's too, to the bit.
///
/// The first run downloads a compiler, a linker and the emulator from Debian (310 MB) to `target/cross`. Nothing is
/// installed, and nothing of this machine's Rust is touched.
///
/// Example: cargo xtask cross --target aarch64-unknown-linux-gnu
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to build for.
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

/// Random cases of each property, instead of hundreds: an emulator is slow, and this machine's own run has the others.
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
        "{CASES} random cases a property: an emulator is slow"
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

/// Downloads what [`run`] needs, unless it is there.
pub(crate) fn fetch() -> anyhow::Result<()> {
    Target::named(AARCH64)?.toolchain()?;
    Ok(())
}

/// What a crate that is compiled for a few runs in an emulator alone is compiled with.
const QUICK: [&str; 6] = [
    "--config",
    "profile.dev.opt-level=1",
    "--config",
    "profile.dev.package.tailfold-kernels.opt-level=3",
    "--config",
    "profile.dev.package.tailfold-integer.opt-level=2",
];

/// The packages' test programs, in order.
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

/// The test program of `package` that cargo's messages, one a line, tell of.
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

/// Runs a test program; what it says is shown when it fails, and its closing line always.
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

/// How many tests passed, and the line that says so.
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
    fn what_passed_is_read_from_the_closing_line() {
        let text = "running 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n";
        assert_eq!(passed(text), Some((2, "2 passed; 0 failed; 0 ignored")));
        assert_eq!(passed("test result: FAILED. 1 passed; 1 failed"), None);
        assert_eq!(passed("Illegal instruction"), None);
    }

    #[test]
    fn the_test_program_is_found_among_cargos_messages() {
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
