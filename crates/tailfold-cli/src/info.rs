//! `tailfold info`: what a model says about itself.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;
use tailfold_spec::{Group, OffsetsRecord, Preprocess, QuantizationRecord};

use crate::model::{Runtime, require_integer};
use crate::output::print;

/// Say what a model is: classes, training counts, preprocessing, folded offsets, quantization, hashes, and which kernel
/// runs each node.
///
/// Example: tailfold info --model models/fashion-lt/fashion-lt.int8.onnx
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Also print the graph, a line a node.
    #[arg(long)]
    graph: bool,
    /// Fail (exit 2) when a layer with weights is left to float arithmetic.
    #[arg(long)]
    require_integer: bool,
    #[command(flatten)]
    runtime: Runtime,
    /// Print one JSON object (schema `tailfold.info/1`).
    #[arg(long)]
    json: bool,
}

/// `info --json`, schema `tailfold.info/1`.
#[derive(Serialize)]
struct Info<'a> {
    schema: &'static str,
    name: &'a str,
    architecture: &'a str,
    sha256: &'a str,
    checkpoint_sha256: &'a str,
    file_bytes: usize,
    classes: &'a [String],
    train_counts: &'a [u64],
    preprocess: &'a Preprocess,
    offsets: &'a Option<OffsetsRecord>,
    quantization: &'a Option<QuantizationRecord>,
    /// Every node that computes something, in the order of the file.
    nodes: Vec<Node<'a>>,
}

/// What runs one node.
#[derive(Serialize)]
struct Node<'a> {
    node: &'a str,
    operator: &'a str,
    /// The integer kernel; `null` for float arithmetic.
    kernel: Option<&'a str>,
    /// What runs it: the integer kernel, tract, a provider of ONNX Runtime.
    runs_on: &'a str,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let model = args.runtime.load(&args.model)?;
    if args.require_integer {
        require_integer(&model).with_context(|| args.model.display().to_string())?;
    }
    let card = &model.card;
    let nodes = || {
        model.nodes.iter().map(|n| Node {
            node: &n.node,
            operator: &n.operator,
            kernel: n.integer.then_some(&n.runs_on),
            runs_on: &n.runs_on,
        })
    };
    if args.json {
        print(&serde_json::to_string(&Info {
            schema: "tailfold.info/1",
            name: &card.name,
            architecture: &card.architecture,
            sha256: &model.sha256,
            checkpoint_sha256: &card.checkpoint_sha256,
            file_bytes: model.file_bytes,
            classes: &card.classes,
            train_counts: &card.train_counts,
            preprocess: &card.preprocess,
            offsets: &card.offsets,
            quantization: &card.quantization,
            nodes: nodes().collect(),
        })?);
        return Ok(ExitCode::SUCCESS);
    }
    let p = &card.preprocess;
    print(&format!(
        "{} ({}), {} bytes, sha256 {}",
        card.name, card.architecture, model.file_bytes, model.sha256
    ));
    print(&format!(
        "input: {} x {} x {}, mean {:?}, std {:?}",
        p.channels, p.height, p.width, p.mean, p.std
    ));
    match &card.quantization {
        Some(q) => {
            let images: u64 = q.calibration_counts.iter().sum();
            print(&format!(
                "quantized: {}, {} over {images} images of {}",
                q.precision, q.observer, q.calibration
            ));
        }
        None => print("quantized: no"),
    }
    match &card.offsets {
        Some(o) => print(&format!(
            "offsets: {}, source {}, chi-square {:.2e}, largest cell error {:.2} %, {}",
            o.origin,
            o.source,
            o.chi_square,
            100.0 * o.largest_relative_error,
            o.stop,
        )),
        None => print("offsets: not folded"),
    }
    print(&format!(
        "{:>5}  {:<24} {:>8}  {:<7} {:>8}",
        "class", "name", "training", "group", "offset"
    ));
    for (class, (name, count)) in card.classes.iter().zip(&card.train_counts).enumerate() {
        let offset = card
            .offsets
            .as_ref()
            .map_or_else(|| "-".to_owned(), |o| format!("{:+.3}", o.offsets[class]));
        print(&format!(
            "{class:>5}  {name:<24} {count:>8}  {:<7} {offset:>8}",
            Group::of_count(*count)
        ));
    }
    print(&format!("{:<32} {:<18} runs on", "node", "operator"));
    for node in nodes() {
        print(&format!(
            "{:<32} {:<18} {}",
            node.node, node.operator, node.runs_on
        ));
    }
    if args.graph {
        print(&tailfold_onnx::text(&model.onnx));
    }
    Ok(ExitCode::SUCCESS)
}
