//! rten as a contender of `tailfold bench`: one image at a time.
//!
//! Speaks the protocol of `tailfold bench-turns`: one JSON line after the first image, one per round that stdin
//! requests, and one at the end.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use cpu_time::{ProcessTime, ThreadTime};
use rten::{Dimension, Model, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use serde_json::{Value, json};

/// Version of rten, which `Cargo.toml` pins.
const VERSION: &str = "0.27.0";

#[derive(Debug, Parser)]
struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Preprocessed images as little-endian floats, channels first, one image after the other.
    #[arg(long)]
    images: PathBuf,
    /// Number of threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let pool = Arc::new(ThreadPool::with_num_threads(args.threads));
    // Everything runs in the pool, so that the calling thread computes and its processor time counts.
    pool.run(|| contend(&args, &pool))
}

fn contend(args: &Args, pool: &Arc<ThreadPool>) -> anyhow::Result<()> {
    // Without this, a run would use the global pool, which has one thread per core.
    let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
    let start = Instant::now();
    let model = Model::load_file(&args.model)
        .with_context(|| format!("cannot read {}", args.model.display()))?;
    let prepared = start.elapsed();
    let images = read_images(&args.images, input_shape(&model)?)?;
    let first = Instant::now();
    let scores = logits(&model, images[0].view(), &options)?;
    let cold_start = prepared + first.elapsed();
    answer(&json!({
        "cold_start_ms": 1e3 * cold_start.as_secs_f64(),
        "kernel": format!("rten {VERSION}"),
        "class": top1(&scores),
        "threads": args.threads,
        "binary_bytes": std::env::current_exe()?.metadata()?.len(),
    }))?;
    for line in stdin().lock().lines() {
        let count: usize = line?
            .trim()
            .parse()
            .context("a turn is a number of images")?;
        let (mut wall_ms, mut cpu_ms) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for image in images.iter().cycle().take(count) {
            let (wall, cpu) = (Instant::now(), processor_time(args.threads)?);
            logits(&model, image.view(), &options)?;
            let cpu = processor_time(args.threads)? - cpu;
            cpu_ms.push(1e3 * cpu.as_secs_f64());
            wall_ms.push(1e3 * wall.elapsed().as_secs_f64());
        }
        answer(&json!({ "wall_ms": wall_ms, "cpu_ms": cpu_ms }))?;
    }
    answer(&json!({ "peak_rss_bytes": peak_rss_bytes() }))
}

/// Processor time so far of the calling thread or, for several `threads`, of the process.
fn processor_time(threads: usize) -> std::io::Result<Duration> {
    if threads > 1 {
        Ok(ProcessTime::try_now()?.as_duration())
    } else {
        Ok(ThreadTime::try_now()?.as_duration())
    }
}

fn logits(
    model: &Model,
    image: NdTensorView<'_, f32, 4>,
    options: &RunOptions,
) -> anyhow::Result<Vec<f32>> {
    let output = model.run_one(image.into(), Some(options.clone()))?;
    let output: NdTensor<f32, 2> = output.try_into()?;
    Ok(output.into_data())
}

/// Shape of the only input, `[channels, height, width]`.
fn input_shape(model: &Model) -> anyhow::Result<[usize; 3]> {
    let shape = model.input_shape(0).context("the input has no shape")?;
    match shape[..] {
        [
            _,
            Dimension::Fixed(c),
            Dimension::Fixed(h),
            Dimension::Fixed(w),
        ] => Ok([c, h, w]),
        _ => anyhow::bail!("the size of an image is not fixed: {shape:?}"),
    }
}

fn read_images(path: &Path, [c, h, w]: [usize; 3]) -> anyhow::Result<Vec<NdTensor<f32, 4>>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let values: Vec<f32> = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|v| f32::from_le_bytes(*v))
        .collect();
    let length = c * h * w;
    ensure!(
        !values.is_empty() && 4 * values.len() == bytes.len() && values.len() % length == 0,
        "{} is no number of images of {c} x {h} x {w} floats",
        path.display()
    );
    let image = |values: &[f32]| NdTensor::from_data([1, c, h, w], values.to_vec());
    Ok(values.chunks_exact(length).map(image).collect())
}

/// The class with the highest score.
fn top1(scores: &[f32]) -> usize {
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(class, _)| class)
}

/// Peak memory of this process so far: `VmHWM` on Linux.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn answer(line: &Value) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
