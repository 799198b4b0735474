//! `cargo xtask cross`: the tests of the integer kernels on processors that this machine is not.

mod toolchain;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::debian::missing;
use crate::output::{print, say};
use crate::process::{cargo, root, shown};
use toolchain::Toolchain;

/// Build the tests of the integer kernels for another processor, and run them in an emulator as each kind of it.
///
/// The first run downloads a compiler, a linker and the emulator from Debian (310 MB) to `target/cross`. Nothing is
/// installed, and nothing of this machine's Rust is touched.
///
/// Example: cargo xtask cross --target aarch64-unknown-linux-gnu
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to build for.
    #[arg(long, default_value = TARGET, value_parser = [TARGET])]
    target: String,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            target: TARGET.to_owned(),
        }
    }
}

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The crates whose arithmetic depends on the processor.
const PACKAGES: [&str; 2] = ["tailfold-kernels", "tailfold-integer"];

/// Kinds of processor, and the vector unit that the tests must find there.
const PROCESSORS: [(&str, &str); 2] = [("cortex-a53", "neon"), ("cortex-a76", "neon-dotprod")];

/// Random cases of each property, instead of hundreds: an emulator is slow, and this machine's own run has the others.
const CASES: &str = "32";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(why) = missing() {
        bail!("cannot build for {}: {why}", args.target);
    }
    let root = root()?;
    let folder = folder(&root, &args.target);
    let toolchain = Toolchain::prepared(&folder.join("toolchain"))?;
    let programs = build(&root, &toolchain, args, &folder.join("build"))?;
    say(&format!(
        "{CASES} random cases a property: an emulator is slow"
    ));
    let mut holds = true;
    for (processor, unit) in PROCESSORS {
        for (package, program) in PACKAGES.iter().zip(&programs) {
            let mut tests = Command::new(toolchain.emulator());
            tests
                .args(["-cpu", processor])
                .arg(program)
                .env("TAILFOLD_ISA", unit)
                .env("PROPTEST_CASES", CASES);
            holds &= passes(&format!("{processor} ({unit}), {package}"), &mut tests)?;
        }
    }
    Ok(ExitCode::from(u8::from(!holds)))
}

/// Downloads what [`run`] needs, unless it is there.
pub(crate) fn fetch() -> anyhow::Result<()> {
    Toolchain::prepared(&folder(&root()?, TARGET).join("toolchain"))?;
    Ok(())
}

fn folder(root: &Path, target: &str) -> PathBuf {
    root.join("target/cross").join(target)
}

/// The packages' test programs, in order.
fn build(
    root: &Path,
    toolchain: &Toolchain,
    args: &Args,
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    say(&format!("building the tests of {}", PACKAGES.join(", ")));
    let mut cargo = self::cargo();
    cargo
        .current_dir(root)
        .args(["test", "--quiet", "--no-run", "--lib"])
        .args(["--message-format", "json", "--target", &args.target])
        // What they depend on is compiled for these few runs alone.
        .args(["--config", r#"profile.dev.package."*".opt-level=1"#])
        .arg("--target-dir")
        .arg(folder)
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .stderr(Stdio::inherit());
    toolchain.applied(&args.target, &mut cargo);
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
