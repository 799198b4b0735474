//! `tailfold-lab`: the repository's research commands. Training and inference run in separate processes.

mod ablate;
mod bench;
mod bench_train;
mod embedded;
mod images;
mod machine;
mod recall;
mod statistics;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Compare losses, time models and training, draw charts.
///
/// `cargo xtask ablate`, `bench` and `bench-train` build this program and the programs that it starts.
///
/// Exit codes: 0 success, 1 an arm of an ablation failed, 2 error.
///
/// Example: tailfold-lab ablate --config models/fashion-lt/ladder.toml --seeds 3
#[derive(Debug, Parser)]
#[command(name = "tailfold-lab")]
struct Args {
    /// Checkout of the repository.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ablate(Box<ablate::Args>),
    Bench(bench::Args),
    BenchTrain(bench_train::Args),
    BuildEmbedded(embedded::Args),
    Images(images::Args),
    Recall(recall::Args),
}

fn main() -> ExitCode {
    run(&Args::parse()).unwrap_or_else(|error| {
        tailfold_console::say(&format!("error: {error:#}"));
        ExitCode::from(2)
    })
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = args.root.canonicalize();
    let root = root.with_context(|| format!("--root {}", args.root.display()))?;
    match &args.command {
        Command::Ablate(args) => ablate::run(args, &root),
        Command::Bench(args) => bench::run(args, &root),
        Command::BenchTrain(args) => bench_train::run(args, &root),
        Command::BuildEmbedded(args) => embedded::run(args, &root),
        Command::Images(args) => images::run(args),
        Command::Recall(args) => recall::run(args),
    }
}
