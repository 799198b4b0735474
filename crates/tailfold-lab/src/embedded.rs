//! `tailfold-lab build-embedded`: the data set that ships.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tailfold_console::say;
use tailfold_data::build_embedded;

/// Make the data set that ships, Fashion-MNIST made long-tailed, from its IDX files.
///
/// Example: tailfold-lab build-embedded --from fashion-mnist/
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the four IDX files (Debian package `dataset-fashion-mnist`).
    #[arg(long)]
    from: PathBuf,
    /// Folder to write; `models/fashion-lt/data` without it.
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
