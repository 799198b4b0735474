//! Checks, before any work, that every output file can be written and replaces no input file.

use tailfold_onnx::add_model_files;
use tailfold_spec::{OutputCheck, OutputError};

use super::args::Args;

/// Names of the files in a report's folder.
pub(crate) const REPORT: [&str; 3] = ["report.json", "report.md", "report.html"];

/// Checks that no output file is also an input file or another output file.
///
/// # Errors
/// [`OutputError`], which names the option and the path.
pub(crate) fn check_files(args: &Args) -> Result<(), OutputError> {
    let mut files = OutputCheck::default();
    for (option, path) in [
        ("--out", &args.out),
        ("--list", &args.list),
        ("--partial", &args.partial),
    ] {
        path.iter().for_each(|path| files.writes(option, path));
    }
    if let Some(folder) = &args.report {
        for file in REPORT {
            files.writes("file of --report", folder.join(file));
        }
    }
    add_model_files(&mut files, "--model", &args.model);
    for (role, path) in [
        ("file of --calibration-f32", &args.calibration_f32),
        ("file of --policy", &args.policy),
    ] {
        path.iter().for_each(|path| files.reads(role, path));
    }
    for (option, spec) in [
        ("--calibration", &args.calibration),
        ("--evaluation", &args.evaluation),
        ("--search", &args.search),
    ] {
        if let Some(spec) = spec {
            spec.add_to(&mut files, option);
        }
    }
    args.describe.add_to(&mut files);
    for part in &args.partials {
        files.reads("file of --partials", part);
    }
    files.check()
}
