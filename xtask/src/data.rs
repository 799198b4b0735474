//! `cargo xtask data`: `tailfold data`, and the data set that ships.

use std::process::ExitCode;

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
    /// Make the data set that ships: `tailfold-lab build-embedded`.
    BuildEmbedded(relay::Args),
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fetch(args) => relay::tailfold(&["data", "fetch"], args),
        Command::Info(args) => relay::tailfold(&["data", "info"], args),
        Command::BuildEmbedded(args) => relay::lab("build-embedded", args),
    }
}
