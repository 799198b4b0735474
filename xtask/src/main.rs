//! The repository's development commands, one module per command. Computations run in separate processes.

mod building;
mod ci;
mod cross;
mod data;
mod debian;
mod demo;
mod dist;
mod images;
mod package;
mod process;
mod relay;
mod target;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Train, export, quantize and check long-tailed classifiers.
///
/// Example: cargo xtask demo
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare losses under one recipe: `tailfold-lab ablate`.
    Ablate(relay::Args),
    /// Time a model against other runtimes: `tailfold-lab bench`.
    Bench(relay::Args),
    /// Time training against PyTorch: `tailfold-lab bench-train`.
    BenchTrain(relay::Args),
    /// Run the checks of the repository, cheapest first.
    Ci(ci::Args),
    Cross(cross::Args),
    #[command(subcommand)]
    Data(data::Command),
    Demo(demo::Args),
    Dist(dist::Args),
    /// Fold class offsets into a classifier: `tailfold export`.
    Export(relay::Args),
    /// Compare a candidate with its reference by group: `tailfold parity`.
    Parity(relay::Args),
    /// Compare ways to serve one model under several priors: `tailfold priors`.
    Priors(relay::Args),
    /// Quantize a folded model to INT8: `tailfold quantize`.
    Quantize(relay::Args),
    /// Check the workspace's invariants.
    Tidy,
    /// Train a configuration: `tailfold-train`.
    Train(relay::Args),
    Wasm(wasm::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Ablate(args) => relay::lab("ablate", &args),
        Command::Bench(args) => relay::lab("bench", &args),
        Command::BenchTrain(args) => relay::lab("bench-train", &args),
        Command::Ci(args) => ci::run(&args),
        Command::Cross(args) => cross::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Dist(args) => dist::run(&args),
        Command::Export(args) => relay::tailfold(&["export"], &args),
        Command::Parity(args) => relay::tailfold(&["parity"], &args),
        Command::Priors(args) => relay::tailfold(&["priors"], &args),
        Command::Quantize(args) => relay::tailfold(&["quantize"], &args),
        Command::Tidy => ci::tidy(),
        Command::Train(args) => relay::train(&args),
        Command::Wasm(args) => wasm::run(&args),
    };
    result.unwrap_or_else(|error| {
        tailfold_console::say(&format!("error: {error:#}"));
        ExitCode::from(2)
    })
}
