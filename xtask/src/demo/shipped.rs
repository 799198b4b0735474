//! Act 1: checks the model that ships with a small build that needs neither burn nor tract.

use std::path::Path;
use std::process::{Command, ExitCode};

use tailfold_console::process::{exit_code, must, silent};
use tailfold_console::{print, say};

use crate::process;

const INT8: &str = "models/fashion-lt/fashion-lt.int8.onnx";
/// Logits of the float model on the test images. This build cannot run a float model.
const FLOAT_LOGITS: &str = "models/fashion-lt/golden/test-logits.safetensors";
const POLICY: &str = "models/fashion-lt/parity.toml";
const TEST: &str = "embedded?split=test";

/// Measures the INT8 model that ships on all test images, and compares it with its float model per class group. Reports go
/// below `out`. Returns the exit code of the comparison.
pub(super) fn run(root: &Path, out: &Path) -> anyhow::Result<ExitCode> {
    say(
        "act 1 of 2: the INT8 model that ships (a small build, without training and without tract)",
    );
    let program = process::build_small(&[])?;
    let tailfold = || {
        let mut command = Command::new(&program);
        command.current_dir(root);
        command
    };
    let (reports, logits) = (out.join("shipped"), out.join("shipped.safetensors"));
    print(&format!("accuracy of {INT8} on {TEST}:"));
    let measured = ["--model", INT8, "--data", TEST, "--backend", "integer"];
    must(tailfold().arg("evaluate").args(measured))?;
    silent(
        tailfold()
            .arg("logits")
            .args(measured)
            .arg("--out")
            .arg(&logits),
    )?;
    print("\nthe same model against its float model, by class group:");
    let code = exit_code(
        tailfold()
            .args(["parity", "--reference", FLOAT_LOGITS, "--card", INT8])
            .args(["--policy", POLICY, "--candidate"])
            .arg(&logits)
            .arg("--report")
            .arg(&reports),
    )?;
    let page = reports.join("parity.html");
    print(&format!("report with pictures: {}", page.display()));
    Ok(code)
}
