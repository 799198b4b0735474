//! `cargo xtask data`: `tailfold data`, and the data set that ships.

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_console::say;
use tailfold_data::build_embedded;

use crate::process::root;
use crate::relay;

/// Data sets: `tailfold data`, and make the one that ships.
///
/// Example: cargo xtask data info 'embedded?split=train'
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Download a public data set: `tailfold data fetch`.
    Fetch(relay::Args),
    /// Print classes, counts and groups of a data spec: `tailfold data info`.
    Info(relay::Args),
    /// Make the data set that ships, Fashion-MNIST made long-tailed, from its IDX files.
    ///
    /// Example: cargo xtask data build-embedded --from fashion-mnist/
    BuildEmbedded {
        /// Folder with the four IDX files (Debian package `dataset-fashion-mnist`).
        #[arg(long)]
        from: PathBuf,
        /// Folder to write; `models/fashion-lt/data` without it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fetch(args) => relay::run("tailfold", &["data", "fetch"], args),
        Command::Info(args) => relay::run("tailfold", &["data", "info"], args),
        Command::BuildEmbedded { from, out } => {
            let out = match out {
                Some(out) => out.clone(),
                None => root()?.join("models/fashion-lt/data"),
            };
            let summary = build_embedded(from, &out)?;
            say(&format!("{}: {summary:?}", out.display()));
            Ok(ExitCode::SUCCESS)
        }
    }
}
