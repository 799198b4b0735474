//! One contender of a benchmark: a separate process that prepares a model, then runs it whenever the driver requests a
//! turn.
//!
//! The protocol is the same for programs of other runtimes. The contender prints the JSON line [`Ready`] after its
//! first image. For each line on stdin, which is a number of images, it runs a turn and prints the JSON line [`Turn`].
//! At the end of stdin, it prints the JSON line [`Done`].

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cpu_time::{ProcessTime, ThreadTime};
use serde::{Deserialize, Serialize};
use tailfold::{ModelFile, Prepared};
use tailfold_console::print;
use tailfold_kernels::Isa;
use tailfold_spec::{ImageBatch, artifact};

use crate::describe_args::Describe;
use crate::model::Runtime;

/// Run as a contender of `tailfold bench`, which requests turns on stdin.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    /// Largest number of threads.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// File of preprocessed images: little-endian f32, channels first, one image after the other.
    #[arg(long)]
    images: PathBuf,
}

/// The message after the first answer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Ready {
    /// Time from reading the file to the first answer.
    pub(crate) cold_start_ms: f64,
    /// Kind of the kernels for layers with weights: `integer (avx2)`, `float`, or a provider of ONNX Runtime.
    pub(crate) kernel: String,
    /// Class of the first image.
    pub(crate) class: usize,
    /// Number of threads.
    pub(crate) threads: usize,
    /// Size of the program, or of the library of another runtime, with debug information. `None` for a contender
    /// without a file.
    #[serde(default)]
    pub(crate) binary_bytes: Option<u64>,
}

/// The message after a turn: one time per image.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Turn {
    pub(crate) wall_ms: Vec<f64>,
    /// CPU time of the calling thread, or of the whole process if it computes on several threads.
    pub(crate) cpu_ms: Vec<f64>,
}

/// The last message, after all turns.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Done {
    /// Peak memory, if the system reports it.
    pub(crate) peak_rss_bytes: Option<u64>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let file = ModelFile::read(&args.model, &args.describe.options())?;
    let options = args.runtime.options(args.threads);
    let mut prepared = args
        .runtime
        .backend
        .prepare(file.opened.model, &file.name, &options)?;
    let preparation = start.elapsed();
    let kernel = kernel(&prepared)?;
    let threads = prepared.threads;
    let classifier = prepared.classifier.as_mut();
    let images = read_images(&args.images, classifier.input_shape())?;
    let first = Instant::now();
    let logits = classifier.logits(&images[0])?;
    let class = tailfold_spec::Logits::top1(logits.values()).map_or(0, |(class, _)| class);
    let ready = Ready {
        cold_start_ms: 1e3 * (preparation + first.elapsed()).as_secs_f64(),
        kernel,
        class,
        threads,
        binary_bytes: std::env::current_exe()
            .and_then(std::fs::metadata)
            .ok()
            .map(|program| program.len()),
    };
    print(&serde_json::to_string(&ready)?);
    for line in io::stdin().lock().lines() {
        let count: usize = line?
            .trim()
            .parse()
            .context("a turn is a number of images")?;
        let mut turn = Turn {
            wall_ms: Vec::with_capacity(count),
            cpu_ms: Vec::with_capacity(count),
        };
        for i in 0..count {
            let image = &images[i % images.len()];
            let (wall, cpu) = (Instant::now(), processor_time(threads)?);
            classifier.logits(image)?;
            let cpu = processor_time(threads)? - cpu;
            turn.cpu_ms.push(1e3 * cpu.as_secs_f64());
            turn.wall_ms.push(1e3 * wall.elapsed().as_secs_f64());
        }
        print(&serde_json::to_string(&turn)?);
        io::stdout().flush()?;
    }
    let done = Done {
        peak_rss_bytes: peak_rss_bytes(),
    };
    print(&serde_json::to_string(&done)?);
    Ok(ExitCode::SUCCESS)
}

/// Returns the CPU time so far: of this thread if `threads` is 1, otherwise of the process.
fn processor_time(threads: usize) -> io::Result<Duration> {
    if threads > 1 {
        Ok(ProcessTime::try_now()?.as_duration())
    } else {
        Ok(ThreadTime::try_now()?.as_duration())
    }
}

/// Returns the name of the kernels that run the layers with weights.
fn kernel(prepared: &Prepared) -> anyhow::Result<String> {
    if prepared.regions.is_empty() {
        let provider = prepared.nodes.first().map(|node| &node.runs_on);
        let provider = provider.filter(|name| name.ends_with("Provider"));
        return Ok(provider.map_or_else(|| "float".to_owned(), Clone::clone));
    }
    Ok(format!("integer ({})", Isa::detect()?.name()))
}

/// Reads images of `shape` from a file of f32 values.
pub(super) fn read_images(path: &Path, shape: [usize; 3]) -> anyhow::Result<Vec<ImageBatch>> {
    let bytes = artifact::read(path)?;
    let length: usize = shape.iter().product::<usize>() * size_of::<f32>();
    ensure!(
        !bytes.is_empty() && bytes.len().is_multiple_of(length),
        "{} has {} bytes, which is not a whole number of images of {shape:?} floats",
        path.display(),
        bytes.len()
    );
    let [c, h, w] = shape;
    bytes
        .chunks_exact(length)
        .map(|image| {
            let (values, _) = image.as_chunks::<4>();
            let values = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
            Ok(ImageBatch::new(values, [1, c, h, w])?)
        })
        .collect()
}

/// Returns the peak memory of this process: `VmHWM` of Linux.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
