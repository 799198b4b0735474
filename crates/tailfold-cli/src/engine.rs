//! `tailfold engine`: builds TensorRT engines ahead of time, so that the first image does not wait for minutes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::ensure;
use serde::Serialize;
use tailfold::{Backend, Network};
use tailfold_console::print;

use crate::describe_args::Ports;
use crate::model::Runtime;

/// Build TensorRT engines, which are cached per model, GPU, driver and TensorRT version.
///
/// Example: tailfold engine build --model model.trt.onnx --backend tensorrt
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Build(Build),
}

/// Build the engine of a model, or check the cached engine, and run one image through it.
///
/// Example: tailfold engine build --model model.trt.onnx --backend tensorrt
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    ports: Ports,
    #[command(flatten)]
    runtime: Runtime,
    /// Print one JSON object (schema `tailfold.engine-build/1`).
    #[arg(long)]
    json: bool,
}

/// `engine build --json`, schema `tailfold.engine-build/1`.
#[derive(Serialize)]
struct Built {
    schema: &'static str,
    model_sha256: String,
    backend: &'static str,
    /// Time from reading the file to the first answer.
    seconds: f64,
    /// Number of nodes that the provider runs; an engine counts as one.
    nodes: usize,
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Build(args) = command;
    let backend = args.runtime.backend;
    ensure!(
        matches!(backend, Backend::Tensorrt | Backend::TensorrtRtx),
        "--backend {backend} builds no engine: expected tensorrt or tensorrt-rtx"
    );
    let begin = Instant::now();
    let options = args.runtime.options(1);
    let model = Network::open(&args.model, &args.ports.options(), backend, &options)?;
    let seconds = begin.elapsed().as_secs_f64();
    if args.json {
        print(&serde_json::to_string(&Built {
            schema: "tailfold.engine-build/1",
            model_sha256: model.sha256,
            backend: backend.name(),
            seconds,
            nodes: model.nodes.len(),
        })?);
    } else {
        print(&format!(
            "{}: ready on {backend} after {seconds:.1} s",
            args.model.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
