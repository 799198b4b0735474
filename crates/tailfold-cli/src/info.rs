//! `tailfold info`: prints the file, metadata and quantization of a model, and the kernel of each node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;
use tailfold::{Description, Network};
use tailfold_console::print;
use tailfold_spec::{
    CardParts, Group, ModelCard, OffsetsRecord, Preprocess, QuantizationRecord, Resize, ScoreKind,
};

use crate::describe_args::Describe;
use crate::model::{Runtime, require_integer};

/// Print a model's classes, training counts, preprocessing, folded offsets, quantization and hashes, and which kernel
/// runs each node.
///
/// Example: tailfold info --model models/fashion-lt/fashion-lt.int8.onnx
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Also print the graph, one line per node.
    #[arg(long)]
    graph: bool,
    /// Fail (exit code 2) if a layer with weights runs in float.
    #[arg(long)]
    require_integer: bool,
    #[command(flatten)]
    describe: Describe,
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
    file: File<'a>,
    /// `null` if neither the metadata nor the command line has class names.
    classes: Option<&'a [String]>,
    /// `null` if neither the metadata nor the command line has training counts.
    train_counts: Option<&'a [u64]>,
    /// `null` if neither the metadata nor the command line has a preprocessing.
    preprocess: Option<&'a Preprocess>,
    offsets: &'a Option<OffsetsRecord>,
    quantization: &'a Option<QuantizationRecord>,
    /// Every node that computes something, in the order of the file.
    nodes: Vec<Node<'a>>,
}

/// Properties of the ONNX file.
#[derive(Serialize)]
struct File<'a> {
    /// Name and version of the exporter.
    producer: String,
    ir_version: i64,
    /// Opset of the canonical form.
    opset: Option<i64>,
    /// Whether the input is `[N, height, width, channels]`.
    channels_last: bool,
    /// Element type of the input.
    input: &'a str,
    /// Kind of the scores at the output.
    output: ScoreKind,
    /// Number of nodes per operator, in the canonical form.
    operators: BTreeMap<&'a str, usize>,
}

/// The kernel or library that runs one node.
#[derive(Serialize)]
struct Node<'a> {
    node: &'a str,
    operator: &'a str,
    /// The integer kernel; `null` for float arithmetic.
    kernel: Option<&'a str>,
    /// The integer kernel, tract, or a provider of ONNX Runtime.
    runs_on: &'a str,
    /// Whether the node is a layer with weights.
    weights: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let description = args.describe.description()?;
    let runtime = &args.runtime;
    let name = args.model.display().to_string();
    let network = Network::open(
        &args.model,
        &description.options,
        runtime.backend,
        &runtime.options(1),
    )?;
    if args.require_integer {
        require_integer(&network.nodes).with_context(|| name.clone())?;
    }
    let known = Known::of(&network, &description).with_context(|| name.clone())?;
    let classes = network.classifier.num_classes();
    known.parts.check_lengths(classes).context(name)?;
    if args.json {
        print_json(&network, &known)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_file(&network, &known);
    print_parts(&known.parts);
    match &known.card {
        Some(card) => print_card(card),
        None => print_classes(&known.parts),
    }
    print(&format!("{:<32} {:<18} runs on", "node", "operator"));
    for node in &network.nodes {
        print(&format!(
            "{:<32} {:<18} {}",
            node.node, node.operator, node.runs_on
        ));
    }
    if args.graph {
        print(&tailfold_onnx::text(&network.opened.model));
    }
    Ok(ExitCode::SUCCESS)
}

/// The description of a model: the full card of a tailfold export, or the parts that a third-party file's metadata and
/// the command line give.
struct Known {
    card: Option<ModelCard>,
    parts: CardParts,
}

impl Known {
    fn of(network: &Network, description: &Description) -> anyhow::Result<Self> {
        if ModelCard::is_in(&network.opened.model.props()) {
            let card = description.card(&network.opened)?;
            return Ok(Self {
                parts: CardParts {
                    classes: Some(card.classes.clone()),
                    train_counts: Some(card.train_counts.clone()),
                    preprocess: Some(card.preprocess.clone()),
                    offsets: card.offsets.clone(),
                    quantization: card.quantization.clone(),
                },
                card: Some(card),
            });
        }
        Ok(Self {
            card: None,
            parts: description.parts(&network.opened)?,
        })
    }

    fn name(&self) -> &str {
        self.card.as_ref().map_or("", |c| &c.name)
    }
}

fn operators(network: &Network) -> BTreeMap<&str, usize> {
    let mut operators = BTreeMap::new();
    for node in network.opened.model.nodes() {
        *operators.entry(node.op_type()).or_insert(0) += 1;
    }
    operators
}

fn print_json(network: &Network, known: &Known) -> anyhow::Result<()> {
    let card = known.card.as_ref();
    let nodes = network.nodes.iter().map(|n| Node {
        node: &n.node,
        operator: &n.operator,
        kernel: n.integer.then_some(&n.runs_on),
        runs_on: &n.runs_on,
        weights: n.weights,
    });
    let (model, ports) = (&network.opened.model, &network.opened.ports);
    print(&serde_json::to_string(&Info {
        schema: "tailfold.info/1",
        name: known.name(),
        architecture: card.map_or("", |c| &c.architecture),
        sha256: &network.sha256,
        checkpoint_sha256: card.map_or("", |c| &c.checkpoint_sha256),
        file_bytes: network.file_bytes,
        file: File {
            producer: model.producer(),
            ir_version: model.ir_version(),
            opset: model.opset(),
            channels_last: ports.input.channels_last,
            input: ports.input.element.label(),
            output: ports.output.kind,
            operators: operators(network),
        },
        classes: known.parts.classes.as_deref(),
        train_counts: known.parts.train_counts.as_deref(),
        preprocess: known.parts.preprocess.as_ref(),
        offsets: &known.parts.offsets,
        quantization: &known.parts.quantization,
        nodes: nodes.collect(),
    })?);
    Ok(())
}

fn print_file(network: &Network, known: &Known) {
    let (model, ports) = (&network.opened.model, &network.opened.ports);
    let label = match &known.card {
        Some(card) => format!("{} ({})", card.name, card.architecture),
        None => format!(
            "{}, opset {}",
            match &model.producer()[..] {
                "" => "an unnamed tool",
                producer => producer,
            },
            model.opset().unwrap_or(0)
        ),
    };
    print(&format!(
        "{label}, {} bytes, sha256 {}",
        network.file_bytes, network.sha256
    ));
    if known.card.is_some() {
        return;
    }
    let layout = if ports.input.channels_last {
        "[N, height, width, channels]"
    } else {
        "[N, channels, height, width]"
    };
    let [c, h, w] = network.classifier.input_shape();
    print(&format!(
        "input: {} {layout}, {c} x {h} x {w}{}",
        ports.input.element.label(),
        match &ports.input.normalised_by {
            Some(node) => format!(", normalised in the graph by `{node}`"),
            None => String::new(),
        }
    ));
    print(&format!(
        "output: {} classes, {}",
        network.classifier.num_classes(),
        ports.output.kind.name()
    ));
    let operators: Vec<String> = operators(network)
        .iter()
        .map(|(op, n)| format!("{op} {n}"))
        .collect();
    print(&format!("operators: {}", operators.join(", ")));
    if let Some(offsets) = &known.parts.offsets {
        print(&offsets_line(offsets));
    }
    let missing = [
        ("--labels", known.parts.classes.is_none()),
        ("--mean and --std", known.parts.preprocess.is_none()),
        ("--counts", known.parts.train_counts.is_none()),
    ];
    let missing: Vec<&str> = missing
        .into_iter()
        .filter_map(|(flags, missing)| missing.then_some(flags))
        .collect();
    if !missing.is_empty() {
        print(&format!(
            "the file does not say: {} (`tailfold describe` writes them into it)",
            missing.join(", ")
        ));
    }
}

fn print_parts(parts: &CardParts) {
    if let Some(p) = &parts.preprocess {
        print(&format!(
            "input: {} x {} x {}{}{}, mean {:?}, std {:?}",
            p.channels,
            p.height,
            p.width,
            resized(p.resize),
            if p.bgr { ", blue first" } else { "" },
            p.mean,
            p.std
        ));
    }
    match &parts.quantization {
        Some(q) => {
            let images: u64 = q.calibration_counts.iter().sum();
            print(&format!(
                "quantized: {}, {} over {images} images of {}",
                q.precision, q.observer, q.calibration
            ));
        }
        None => print("quantized: no"),
    }
}

/// Returns the resize before the crop, as a part of a line.
fn resized(resize: Option<Resize>) -> String {
    resize.map_or_else(String::new, |Resize { short_side, filter }| {
        format!(", shorter side resized to {short_side} ({})", filter.name())
    })
}

fn print_classes(parts: &CardParts) {
    let Some(classes) = &parts.classes else {
        return;
    };
    print(&format!("{:>5}  {:<24} {:>8}", "class", "name", "training"));
    for (class, name) in classes.iter().enumerate() {
        let count = parts.train_counts.as_ref().and_then(|c| c.get(class));
        let count = count.map_or_else(|| "?".to_owned(), ToString::to_string);
        print(&format!("{class:>5}  {name:<24} {count:>8}"));
    }
}

fn offsets_line(offsets: &OffsetsRecord) -> String {
    format!(
        "offsets: {}, source {}, chi-square {:.2e}, largest cell error {:.2} %, {}",
        offsets.origin,
        offsets.source,
        offsets.chi_square,
        100.0 * offsets.largest_relative_error,
        offsets.stop,
    )
}

fn print_card(card: &ModelCard) {
    match &card.offsets {
        Some(offsets) => print(&offsets_line(offsets)),
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
}
