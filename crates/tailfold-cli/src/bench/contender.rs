//! One contender of a benchmark, a process of its own: prepares a model, then runs it in the turns that it is given.
//!
//! The protocol, for programs of other runtimes too: a JSON line [`Ready`] when the first image is answered; then for each
//! line with a number on stdin, a JSON line [`Turn`]; at the end of stdin, a JSON line [`Done`].

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

/// A contender of `tailfold bench`: takes turns on stdin.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    /// Most threads.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Prepared images: little-endian floats, channels first, one after the other.
    #[arg(long)]
    images: PathBuf,
}

/// The first answer is there.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Ready {
    /// From the file to the first answer.
    pub(crate) cold_start_ms: f64,
    /// What computes: `integer (avx2)`, `float`.
    pub(crate) kernel: String,
    /// Class of the first image.
    pub(crate) class: usize,
    /// Threads.
    pub(crate) threads: usize,
    /// Size of the program, or of the library that computes; absent where there is no such file. Debug information in it
    /// counts.
    #[serde(default)]
    pub(crate) binary_bytes: Option<u64>,
}

/// A turn is over: one entry an image.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Turn {
    pub(crate) wall_ms: Vec<f64>,
    /// Of the thread that asks, which is the one that computes; of the whole process where there are several.
    pub(crate) cpu_ms: Vec<f64>,
}

/// All turns are over.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Done {
    /// Most memory held, where the system tells.
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

/// Processor time so far of what computes on `threads`.
fn processor_time(threads: usize) -> io::Result<Duration> {
    if threads > 1 {
        Ok(ProcessTime::try_now()?.as_duration())
    } else {
        Ok(ThreadTime::try_now()?.as_duration())
    }
}

/// What computes the layers with weights.
fn kernel(prepared: &Prepared) -> anyhow::Result<String> {
    if prepared.regions.is_empty() {
        let provider = prepared.nodes.first().map(|node| &node.runs_on);
        let provider = provider.filter(|name| name.ends_with("Provider"));
        return Ok(provider.map_or_else(|| "float".to_owned(), Clone::clone));
    }
    Ok(format!("integer ({})", Isa::detect()?.name()))
}

/// Images of `shape` in a file of floats.
pub(super) fn read_images(path: &Path, shape: [usize; 3]) -> anyhow::Result<Vec<ImageBatch>> {
    let bytes = artifact::read(path)?;
    let length: usize = shape.iter().product::<usize>() * size_of::<f32>();
    ensure!(
        !bytes.is_empty() && bytes.len().is_multiple_of(length),
        "{} has {} bytes, no number of images of {shape:?} floats",
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

/// Most memory that this process has held so far: `VmHWM` of Linux.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
