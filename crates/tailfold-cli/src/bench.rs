//! `tailfold bench`: measures the speed of models on this machine, in interleaved runs.

pub(crate) mod contender;
mod layers;
mod peer;
pub(crate) mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use serde::Serialize as _;
use tailfold::{Backend, ModelFile, Options};
use tailfold_console::{bar, print, say};
use tailfold_data::{DataSpec, Dataset, preprocess};
use tailfold_onnx::add_model_files;
use tailfold_spec::{ModelCard, OutputCheck, artifact};

use crate::describe_args::Describe;
use crate::model::{Ort, backends};
use contender::{Turn, read_images};
use peer::Peer;
use report::{Report, Row, Spread};

/// Time a model on several back ends, in interleaved runs: latency, cold start, memory.
///
/// Each contender is a separate process that runs once per round, so other load on the machine affects all contenders
/// alike. Ratios are computed per round. Contenders run one image at a time, on one thread by default.
///
/// Example: tailfold bench --model model.int8.onnx --float model.onnx
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Back end of the model; may be repeated. Default: `tract` and `tract-stock`.
    #[arg(long, value_parser = backends())]
    backend: Vec<Backend>,
    /// Float model, which is timed on unmodified tract.
    #[arg(long)]
    float: Option<PathBuf>,
    /// Contender of another runtime, `NAME=COMMAND`: a program that takes `--images FILE` and follows the protocol of
    /// `tailfold bench-turns`. May be repeated.
    #[arg(long, value_name = "NAME=COMMAND")]
    peer: Vec<String>,
    /// Images, as a data spec. Default: seeded noise.
    #[arg(long)]
    data: Option<DataSpec>,
    /// File of preprocessed images as little-endian f32, for models whose metadata has no preprocessing.
    #[arg(long, conflicts_with = "data")]
    images: Option<PathBuf>,
    /// Largest number of threads per contender. Contenders of other runtimes get `--threads` only if it is not 1.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Number of rounds; each contender runs once per round.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Time each integer layer instead, relative to the peak rate of the instruction set.
    #[arg(long)]
    layers: bool,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    ort: Ort,
    /// Print one JSON object (schema `tailfold.bench/1`).
    #[arg(long)]
    json: bool,
    /// Also write the table to this file, as Markdown.
    #[arg(long, value_name = "FILE", conflicts_with = "layers")]
    markdown: Option<PathBuf>,
}

/// Number of images that contenders cycle through.
const IMAGES: usize = 8;

/// Approximate time of a turn, in milliseconds.
const TURN_MS: f64 = 40.0;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_files(args)?;
    let folder = tempfile::tempdir().context("a folder for the images")?;
    let images = match &args.images {
        Some(path) => path.clone(),
        None => {
            let path = folder.path().join("images.f32");
            let bytes: Vec<u8> = images(args)?
                .into_iter()
                .flat_map(f32::to_le_bytes)
                .collect();
            std::fs::write(&path, bytes).context("the images")?;
            path
        }
    };
    if args.layers {
        return by_layers(args, &images);
    }
    let own = std::env::current_exe().context("cannot find this program")?;
    let mut contenders = Vec::new();
    let backends = if args.backend.is_empty() {
        [Backend::default()]
            .into_iter()
            .chain(Backend::FLOAT)
            .collect()
    } else {
        args.backend.clone()
    };
    for backend in backends {
        contenders.push((backend.name().to_owned(), &args.model, backend));
    }
    if let Some(float) = &args.float {
        let backend = Backend::FLOAT.context("this build has no back end for float models")?;
        contenders.push((format!("{}, float", backend.name()), float, backend));
    }
    let mut peers = Vec::new();
    let mut sizes = Vec::new();
    for (name, model, backend) in contenders {
        let mut command = Command::new(&own);
        command.args(["bench-turns", "--backend", backend.name()]);
        command.arg("--model").arg(model);
        command.arg("--images").arg(&images);
        command.arg("--threads").arg(args.threads.to_string());
        command.args(args.ort.arguments());
        command.args(args.describe.arguments());
        peers.push(Peer::start(&name, &mut command)?);
        sizes.push(file_bytes(model));
    }
    for peer in &args.peer {
        let (name, line) = peer.split_once('=').context("a peer is NAME=COMMAND")?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let (program, words) = words.split_first().context("a peer is NAME=COMMAND")?;
        let mut command = Command::new(program);
        command.args(words).arg("--images").arg(&images);
        if args.threads > 1 {
            command.arg("--threads").arg(args.threads.to_string());
        }
        peers.push(Peer::start(name, &mut command)?);
        let mut model = words.iter().skip_while(|word| **word != "--model");
        sizes.push(model.nth(1).and_then(|file| file_bytes(Path::new(file))));
    }
    let report = in_turns(args, peers, &sizes)?;
    if let Some(file) = &args.markdown {
        artifact::write(file, format!("{}\n", report.table()).as_bytes())?;
    }
    if args.json {
        print(&serde_json::to_string(&report)?);
    } else {
        print(&report.table());
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks that no output file is an input file.
fn check_files(args: &Args) -> anyhow::Result<()> {
    let mut files = OutputCheck::default();
    let markdown = args.markdown.iter();
    markdown.for_each(|file| files.writes("--markdown", file));
    add_model_files(&mut files, "--model", &args.model);
    if let Some(float) = &args.float {
        add_model_files(&mut files, "--float", float);
    }
    if let Some(data) = &args.data {
        data.add_to(&mut files, "--data");
    }
    let images = args.images.iter();
    images.for_each(|file| files.reads("file of --images", file));
    args.describe.add_to(&mut files);
    args.ort.add_to(&mut files);
    Ok(files.check()?)
}

/// Runs the rounds: each contender has one turn per round.
fn in_turns(args: &Args, mut peers: Vec<Peer>, sizes: &[Option<u64>]) -> anyhow::Result<Report> {
    ensure!(!peers.is_empty(), "there is nothing to time");
    // Turns take about the same time for all contenders, so other load on the machine affects all alike.
    let mut counts = Vec::new();
    for peer in &mut peers {
        let warm = peer.turn(3)?;
        let one = Spread::of(warm.wall_ms).min.max(1e-3);
        counts.push(whole(TURN_MS / one).clamp(3, 10_000));
    }
    let rounds = args.rounds as usize;
    let mut turns: Vec<Vec<Turn>> = peers.iter().map(|_| Vec::new()).collect();
    let bar = bar("rounds", rounds);
    for round in 0..rounds {
        for i in 0..peers.len() {
            // Each round begins with the next contender.
            let at = (i + round) % peers.len();
            turns[at].push(peers[at].turn(counts[at])?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut rows = Vec::new();
    for ((peer, size), own) in peers.iter_mut().zip(sizes).zip(&turns) {
        let mut row = Row::of(&peer.name, &peer.ready, own, &turns[0]);
        row.peak_rss_bytes = peer.end()?.peak_rss_bytes;
        row.file_bytes = *size;
        rows.push(row);
    }
    Ok(Report {
        schema: "tailfold.bench/1",
        machine: machine(),
        rounds,
        images: counts[0],
        rows,
    })
}

fn by_layers(args: &Args, images: &Path) -> anyhow::Result<ExitCode> {
    let file = ModelFile::read(&args.model, &args.describe.options())?;
    let (model, name) = (file.opened.model, file.name);
    let prepared = Backend::default().prepare(model, &name, &Options::default())?;
    let image = &read_images(images, prepared.classifier.input_shape())?[0];
    let layers = layers::measure(&prepared.regions, image, args.rounds as usize * 10)?;
    if args.json {
        let mut value = serde_json::to_value(&layers)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("schema".to_owned(), "tailfold.bench-layers/1".into());
        }
        let mut text = Vec::new();
        value.serialize(&mut serde_json::Serializer::new(&mut text))?;
        print(&String::from_utf8_lossy(&text));
    } else {
        print(&layers.table());
    }
    Ok(ExitCode::SUCCESS)
}

fn file_bytes(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|file| file.len())
}

/// Returns the values of a few preprocessed images.
fn images(args: &Args) -> anyhow::Result<Vec<f32>> {
    let description = args.describe.description()?;
    let opened = ModelFile::read(&args.model, &description.options)?.opened;
    let Some(spec) = &args.data else {
        say("images: seeded noise (see --data and --images)");
        let [_, c, h, w] = opened.model.input_shape()?;
        let [Some(c), Some(h), Some(w)] = [c, h, w] else {
            anyhow::bail!(
                "{}: the size of an image is not fixed",
                args.model.display()
            );
        };
        return Ok(noise(IMAGES * c * h * w));
    };
    let parts = if ModelCard::is_in(&opened.model.props()) {
        Some(opened.model.checked_card()?.preprocess)
    } else {
        description.parts(&opened)?.preprocess
    };
    let spec_of_images = parts.with_context(|| {
        format!(
            "{} does not say how images are prepared: give --mean and --std, or --images",
            args.model.display()
        )
    })?;
    let data = Dataset::open(spec)?;
    ensure!(!data.is_empty(), "{spec} has no image");
    let mut values = Vec::new();
    for i in 0..IMAGES.min(data.len()) {
        // Data sets keep the images of a class together, so evenly spaced images cover several classes.
        let image = data.image(i * data.len() / IMAGES.min(data.len()))?;
        values.extend(preprocess(&image, &spec_of_images)?);
    }
    Ok(values)
}

/// Returns `count` numbers between -2 and 2, the same in every run.
fn noise(count: usize) -> Vec<f32> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f32::from((state >> 48) as u16) / 16_384.0 - 2.0
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number"
)]
fn whole(value: f64) -> usize {
    value as usize
}

/// Returns architecture, system and number of cores of this machine.
fn machine() -> String {
    use std::env::consts::{ARCH, OS};
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{ARCH} {OS}, {cores} cores")
}
