//! The program `tailfold`: classifies images, describes models, and checks that a model still recognises its rare
//! classes.

mod bench;
mod classify;
#[cfg(feature = "tools")]
mod data;
mod describe;
mod describe_args;
mod dump;
mod engine;
mod evaluate;
#[cfg(feature = "tools")]
mod export;
#[cfg(feature = "help-files")]
mod help_files;
mod hints;
mod info;
mod merge;
mod model;
mod parity;
mod partial;
#[cfg(feature = "tools")]
mod priors;
#[cfg(feature = "tools")]
mod quantize;
#[cfg(all(feature = "tools", feature = "ort", unix))]
mod runtime;
mod scores;
#[cfg(feature = "tools")]
mod train;
mod verify;

use std::process::ExitCode;

#[cfg(feature = "help-files")]
use clap::CommandFactory as _;
use clap::{Parser, Subcommand};

/// Classify images with a long-tailed model and check that its rare classes survived.
///
/// Exit codes: 0 success, 1 a check failed or an image was not classified, 2 an error, 3 inconclusive (parity only).
///
/// Example: tailfold classify --model models/fashion-lt/fashion-lt.int8.onnx boot.png
#[derive(Debug, Parser)]
#[command(name = "tailfold", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Args),
    #[command(hide = true)]
    BenchTurns(bench::contender::Args),
    Classify(Box<classify::Args>),
    // The help files of a device program come from a program with `help-files` and without `tools`. That program hides
    // the two commands, so the help files do not describe them.
    #[cfg(feature = "help-files")]
    #[cfg_attr(not(feature = "tools"), command(hide = true))]
    Completions(help_files::CompletionsArgs),
    #[cfg(feature = "tools")]
    #[command(subcommand)]
    Data(data::Command),
    Describe(describe::Args),
    #[command(subcommand)]
    Engine(engine::Command),
    Evaluate(evaluate::Args),
    #[cfg(feature = "tools")]
    Export(Box<export::Args>),
    Info(info::Args),
    Logits(dump::Args),
    #[cfg(feature = "help-files")]
    #[cfg_attr(not(feature = "tools"), command(hide = true))]
    Man(help_files::ManArgs),
    Merge(merge::Args),
    Parity(Box<parity::Command>),
    #[cfg(feature = "tools")]
    Priors(priors::Args),
    #[cfg(feature = "tools")]
    Quantize(Box<quantize::Args>),
    #[cfg(all(feature = "tools", feature = "ort", unix))]
    #[command(subcommand)]
    Runtime(runtime::RuntimeCommand),
    #[cfg(feature = "tools")]
    Train(train::Args),
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::BenchTurns(args) => bench::contender::run(&args),
        Command::Classify(args) => classify::run(&args),
        #[cfg(feature = "help-files")]
        Command::Completions(args) => Ok(help_files::completions(&args, &Args::command())),
        #[cfg(feature = "tools")]
        Command::Data(command) => data::run(&command),
        Command::Describe(args) => describe::run(&args),
        Command::Engine(command) => engine::run(&command),
        Command::Evaluate(args) => evaluate::run(&args),
        #[cfg(feature = "tools")]
        Command::Export(args) => export::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Logits(args) => dump::run(&args),
        #[cfg(feature = "help-files")]
        Command::Man(args) => help_files::manual(&args, Args::command()),
        Command::Merge(args) => merge::run(&args),
        Command::Parity(args) => parity::start(&args),
        #[cfg(feature = "tools")]
        Command::Priors(args) => priors::run(&args),
        #[cfg(feature = "tools")]
        Command::Quantize(args) => quantize::run(&args),
        #[cfg(all(feature = "tools", feature = "ort", unix))]
        Command::Runtime(command) => runtime::run(&command),
        #[cfg(feature = "tools")]
        Command::Train(args) => train::run(&args),
        Command::Verify(args) => verify::run(&args),
    };
    result.unwrap_or_else(|error| {
        let hint = hints::of(error.as_ref()).unwrap_or_default();
        tailfold_console::say(&format!("error: {error:#}{hint}"));
        ExitCode::from(2)
    })
}
