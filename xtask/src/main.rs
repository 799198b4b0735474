//! The repository's chores. Reads as a list: one module a command; what computes runs as a process of its own.

mod ablate;
mod bench;
mod bench_train;
mod chart;
mod ci;
mod cross;
mod data;
mod debian;
mod demo;
mod dist;
mod package;
mod pool;
mod process;
mod relay;
mod statistics;
mod target;
mod training;
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
    Ablate(Box<ablate::Args>),
    Bench(bench::Args),
    BenchTrain(bench_train::Args),
    /// Run what CI runs, cheapest first.
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
        Command::Ablate(args) => ablate::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchTrain(args) => bench_train::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Cross(args) => cross::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Dist(args) => dist::run(&args),
        Command::Export(args) => relay::run("tailfold", &["export"], &args),
        Command::Parity(args) => relay::run("tailfold", &["parity"], &args),
        Command::Priors(args) => relay::run("tailfold", &["priors"], &args),
        Command::Quantize(args) => relay::run("tailfold", &["quantize"], &args),
        Command::Tidy => ci::tidy(),
        Command::Train(args) => relay::train(&args),
        Command::Wasm(args) => wasm::run(&args),
    };
    result.unwrap_or_else(|error| {
        tailfold_console::say(&format!("error: {error:#}"));
        ExitCode::from(2)
    })
}
