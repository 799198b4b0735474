//! `tailfold classify`: prints the most likely classes of images.

mod answers;
mod item;
mod latency;
mod source;
mod watch;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};
use tailfold::{ImageClassifier, LoadedModel};
use tailfold_console::say;

use crate::describe_args::Describe;
use crate::model::Runtime;
use answers::{Answers, Form};
use latency::Latency;
use source::{Frame, Source};
use workers::Workers;

/// Classify images: JPEG, PNG, GIF, TIFF, BMP, WebP or PNM files, folders of such files, or `-` for images on stdin,
/// one after the other (without TIFF).
///
/// Preprocessing and class names come from the model. An unreadable image is reported, the other images are still
/// classified, and the exit code is 1. Answers are printed as soon as they are ready, in the order of the images.
/// SIGTERM and SIGINT end the program after the images that it has started, with their answers printed.
///
/// Example: tailfold classify --model model.int8.onnx --top 3 --json photos/
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Images, folders, or `-`.
    #[arg(required_unless_present = "watch")]
    images: Vec<PathBuf>,
    /// Then classify the images in this folder, and new images as they arrive, until SIGTERM or SIGINT. Subfolders are
    /// ignored.
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// The inputs hold raw frames of this size, one after the other: one byte per value, row by row, channels (1 or 3)
    /// last.
    #[arg(long, value_name = "WxHxC", conflicts_with = "watch")]
    raw: Option<Frame>,
    /// Number of classes to print per image.
    #[arg(long, default_value_t = 3)]
    top: usize,
    /// Resize and crop images of any size to the network's input size, if the model's metadata has no resize.
    #[arg(long)]
    fit: bool,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    /// Number of images to classify at a time; 0 means one per core. Answers do not depend on it. With more than one
    /// job, answers are printed in groups of eight per job.
    #[arg(long, default_value_t = 1)]
    jobs: u16,
    /// Largest number of threads that share one image; small layers use fewer. The answer does not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Print one JSON object (schema `tailfold.classify/1`) with one line per image.
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    /// Print one JSON object per image, each on its own line (schema `tailfold.classify-image/1`).
    #[arg(long, conflicts_with = "json")]
    json_lines: bool,
}

/// Number of images between two lines of statistics while a folder is watched.
const REPORT_EVERY: u64 = 1_000;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ensure!(args.top > 0, "--top is 0, expected at least 1");
    let stop = stop_at_signal()?;
    let mut source = Source::open(&args.images, args.raw)?;
    if let Some(folder) = &args.watch {
        source.watch(folder, Arc::clone(&stop))?;
    }
    let runtime = &args.runtime;
    let options = runtime.options(args.threads);
    let description = args.describe.description()?;
    let model = LoadedModel::open_described(&args.model, &description, runtime.backend, &options)?;
    say_float_layers(&model);
    let mut classifier = ImageClassifier::from(model);
    if args.fit {
        classifier = classifier.fitting();
    }
    let form = match (args.json, args.json_lines) {
        (true, _) => Form::Object,
        (_, true) => Form::Lines,
        _ => Form::Text,
    };
    let mut answers = Answers::begin(form, &classifier);
    let mut workers = Workers::new(classifier, args.jobs.into(), args.top)?;
    let mut latency = Latency::default();
    let begin = Instant::now();
    let mut is_whole = true;
    while let Some(items) = source.next_batch(workers.at_a_time())? {
        for row in workers.classified(items) {
            latency.add(&row);
            answers.write(&row);
            if args.watch.is_some() && latency.all() % REPORT_EVERY == 0 {
                say(&latency.line(begin.elapsed()));
            }
        }
        if answers.flush().is_err() {
            // The reader closed the pipe.
            break;
        }
        if stop.load(Ordering::Relaxed) {
            is_whole = source.is_watching() || source.is_over();
            break;
        }
    }
    answers.end();
    if latency.images() > 1 {
        say(&latency.line(begin.elapsed()));
    }
    ensure!(
        is_whole,
        "stopped by a signal after {} images; the others are not classified",
        latency.all()
    );
    let (failed, all) = (latency.failed(), latency.all());
    ensure!(all > 0 || args.watch.is_some(), "there is no image");
    if failed > 0 {
        say(&format!("{failed} of {all} images could not be classified"));
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Prints one line of log output that names the layers with weights of a quantized model that run in float.
fn say_float_layers(model: &LoadedModel) {
    let float = model.float_layers();
    let integer = model.nodes.iter().filter(|n| n.integer).count();
    if model.card.quantization.is_none() || float.is_empty() || integer == 0 {
        return;
    }
    say(&format!(
        "note: {} layers with weights run in float here: {}",
        float.len(),
        float.join(", ")
    ));
}

/// Returns a flag that becomes true at the first SIGTERM or SIGINT. A second signal ends the program at once.
fn stop_at_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("cannot catch signals")?;
    }
    Ok(stop)
}
