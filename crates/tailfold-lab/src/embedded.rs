//! `tailfold-lab build-embedded`: makes the embedded data set.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tailfold_console::say;
use tailfold_data::build_embedded;

/// Make the embedded data set, a long-tailed Fashion-MNIST, from the IDX files of Fashion-MNIST.
///
/// Example: tailfold-lab build-embedded --from fashion-mnist/
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the four IDX files (Debian package `dataset-fashion-mnist`).
    #[arg(long)]
    from: PathBuf,
    /// Folder to write. Default: `models/fashion-lt/data`.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<ExitCode> {
    let default = || root.join("models/fashion-lt/data");
    let out = args.out.clone().unwrap_or_else(default);
    let summary = build_embedded(&args.from, &out)?;
    say(&format!("{}: {summary:?}", out.display()));
    Ok(ExitCode::SUCCESS)
}
