//! `cargo xtask data`: the commands `tailfold data` and `tailfold-lab build-embedded`.

use std::process::ExitCode;

use crate::relay;

/// Download and describe data sets, and make the embedded one.
///
/// Example: cargo xtask data info 'embedded?split=train'
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Download a public data set: `tailfold data fetch`.
    Fetch(relay::Args),
    /// Print classes, counts and groups of a data spec: `tailfold data info`.
    Info(relay::Args),
    /// Make the embedded data set: `tailfold-lab build-embedded`.
    BuildEmbedded(relay::Args),
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fetch(args) => relay::tailfold(&["data", "fetch"], args),
        Command::Info(args) => relay::tailfold(&["data", "info"], args),
        Command::BuildEmbedded(args) => relay::lab("build-embedded", args),
    }
}
