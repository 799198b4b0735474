//! Measures the image pipeline of training: filling the cache, and making augmented views from it.
//!
//! `cargo run --example loader -- --images 115846 --size 64` simulates a training run with ImageNet-LT's number of
//! images, read from a list, with images of 80x64 pixels. `--size 32 --preset cifar` measures the CIFAR recipe.

#![expect(clippy::print_stdout, reason = "a measurement's result goes to stdout")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use rayon::prelude::*;
use tailfold_data::{
    AugmentConfig, AugmentKey, Augmenter, DataError, Dataset, ImageStore, Normaliser, OnCorrupt,
    StoreConfig,
};
use tailfold_spec::{Filter, Preprocess, Resize, artifact};

/// Measure the image pipeline of training.
#[derive(Debug, Parser)]
struct Args {
    /// Number of images in the list.
    #[arg(long, default_value_t = 2000)]
    images: usize,
    /// Number of classes; image `i` has class `i % classes`.
    #[arg(long, default_value_t = 1000)]
    classes: usize,
    /// Short side of the cached images and side of a view, in pixels.
    #[arg(long, default_value_t = 64)]
    size: u32,
    /// Augmentation of the first view; the other two views use `sim`.
    #[arg(long, default_value = "rand")]
    preset: String,
    /// Number of images per batch, with three views each.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Duration of the measurement, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Number of threads; 0 means all cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Folder for the images and the cache.
    #[arg(long)]
    folder: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()?;
    let list = write_images(&args)?;
    let started = Instant::now();
    let spec = format!("list:{}@{}", list.display(), args.folder.display());
    let data = Dataset::open(&spec.parse()?)?;
    println!(
        "list of {} images opened in {:.2} s",
        data.len(),
        started.elapsed().as_secs_f64()
    );
    let config = StoreConfig {
        channels: Some(3),
        resize: Some(Resize {
            short_side: args.size,
            filter: Filter::Bilinear,
        }),
        cache: Some(args.folder.join("cache")),
        on_corrupt: OnCorrupt::Error,
    };
    for state in ["filled", "found"] {
        let started = Instant::now();
        let store = ImageStore::open(&data, &config, &|_| {})?;
        let seconds = started.elapsed().as_secs_f64();
        println!("cache of {} images {state} in {seconds:.2} s", store.len());
        if state == "found" {
            make_views(&args, &store)?;
        }
    }
    if let Some(peak) = peak_memory() {
        println!("peak memory: {peak}");
    }
    Ok(())
}

/// Writes the list, and the images that do not exist yet.
fn write_images(args: &Args) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let name = |i: usize| format!("images/{:04}/{i:07}.ppm", i / 1000);
    (0..args.images).into_par_iter().try_for_each(|i| {
        let path = args.folder.join(name(i));
        if path.exists() {
            return Ok(());
        }
        let shade = |v: usize| u8::try_from((v / 3 % 80 * (i % 7 + 1) + v / 240 * 2 + i) % 256);
        let header = b"P6\n80 64\n255\n".iter().copied();
        let pixels = (0..64 * 80 * 3).map(|v| shade(v).unwrap_or(0));
        write(&path, &header.chain(pixels).collect::<Vec<u8>>())
    })?;
    let lines: Vec<String> = (0..args.images)
        .map(|i| format!("{} {}", name(i), i % args.classes))
        .collect();
    let list = args.folder.join("list.txt");
    artifact::write(&list, lines.join("\n").as_bytes())?;
    Ok(list)
}

/// Writes a file without syncing it to disk, unlike `artifact::write`: there are a hundred thousand files.
fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let failed = |source| DataError::from(artifact::at("write", path)(source));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let failed = |source| DataError::from(artifact::at("write", path)(source));
    std::fs::write(path, bytes).map_err(failed)
}

/// Makes batches of three views, as training does, and prints the rate.
fn make_views(args: &Args, store: &ImageStore) -> Result<(), Box<dyn std::error::Error>> {
    let augmenter = |preset: &str| {
        let config: AugmentConfig =
            serde_json::from_value(serde_json::json!({ "preset": preset }))?;
        Ok::<_, Box<dyn std::error::Error>>(Arc::new(Augmenter::new(config)?))
    };
    let sim = augmenter("sim")?;
    let views = [augmenter(&args.preset)?, Arc::clone(&sim), sim];
    let side = args.size as usize;
    let normaliser = Normaliser::new(&Preprocess {
        channels: 3,
        height: side,
        width: side,
        bgr: false,
        resize: None,
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
    })?;
    let mut values = vec![0.0; views.len() * args.batch * normaliser.size()];
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut batches = 0;
    while started.elapsed() < Duration::from_secs(args.seconds) {
        values
            .par_chunks_exact_mut(normaliser.size())
            .enumerate()
            .try_for_each(|(job, values)| {
                // The stride visits every image, and neighbours in a batch are not neighbours in the cache.
                let index = (batches * args.batch + job % args.batch) * 7919 % store.len();
                let key = AugmentKey {
                    seed: 1,
                    epoch: 0,
                    index: index as u64,
                    view: (job / args.batch) as u64,
                };
                let image = store.image(index)?;
                let view = &views[job / args.batch];
                let pixels = view.view(image.as_pixels(), side, side, key)?;
                normaliser.write(pixels.as_pixels(), values)
            })?;
        batches += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let images = (batches * args.batch) as f64 / seconds;
    println!(
        "{images:.0} images/s, {:.0} views/s of {side}x{side} on {} threads ({} and twice sim)",
        images * views.len() as f64,
        rayon::current_num_threads(),
        args.preset
    );
    if let Some((before, after)) = cpu.zip(cpu_seconds()) {
        let views = (batches * args.batch * views.len()) as f64;
        println!(
            "{:.0} views per second of CPU time",
            views / (after - before)
        );
    }
    Ok(())
}

/// CPU time of all threads so far: `utime` and `stime` of Linux, in ticks of 10 ms.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(|t| t.parse().ok()).collect::<Option<_>>()?;
    Some(ticks.iter().sum::<f64>() / 100.0)
}

/// Peak memory: `VmHWM` of Linux.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
