//! `tailfold-train`: trains one configuration and writes a run folder.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tailfold_spec::Manifest;
use tailfold_train::{BackEnd, EpochReport, Observer, TrainConfig, train};

/// Train a long-tailed classifier and write a run folder.
///
/// Example: tailfold-train --config models/fashion-lt/sdot.toml --out runs/fashion-sdot
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Run folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Seed, in place of the configuration's.
    #[arg(long)]
    seed: Option<u64>,
    /// Epochs, in place of the configuration's.
    #[arg(long)]
    epochs: Option<usize>,
    /// Training data, in place of the configuration's.
    #[arg(long)]
    data: Option<String>,
    /// Where to train.
    #[arg(long, value_enum, default_value_t = BackEnd::Cpu)]
    device: BackEnd,
    /// Go on from the last finished epoch of an interrupted run.
    #[arg(long)]
    resume: bool,
    /// Print the finished run as one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&error);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the talk of a command goes to stderr")]
fn report_error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mut config =
        TrainConfig::read(&args.config).with_context(|| args.config.display().to_string())?;
    config.seed = args.seed.unwrap_or(config.seed);
    config.epochs = args.epochs.unwrap_or(config.epochs);
    config.data = args.data.clone().unwrap_or(config.data);
    let device = args.device.open()?.autodiff();
    let mut progress = Progress::new(&config);
    let outcome = train(&config, &args.out, args.resume, &device, &mut progress)
        .with_context(|| args.config.display().to_string())?;
    if args.json {
        print_json(&serde_json::json!({
            "schema": "tailfold.train/1",
            "run": args.out,
            "epochs": outcome.reports,
            "checkpoint_sha256": outcome.manifest.files.checkpoint_sha256,
        }));
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the result of a command goes to stdout"
)]
fn print_json(value: &serde_json::Value) {
    println!("{value}");
}

/// A bar on a terminal, a line an epoch elsewhere.
struct Progress {
    name: String,
    epochs: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(config: &TrainConfig) -> Self {
        let name = format!(
            "{} ({}, seed {})",
            config.name,
            config.loss.as_str(),
            config.seed
        );
        Self {
            name,
            epochs: config.epochs,
            bar: None,
        }
    }

    #[expect(clippy::print_stderr, reason = "the talk of a command goes to stderr")]
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}

impl Observer for Progress {
    fn start(&mut self, manifest: &Manifest, steps_per_epoch: usize, epochs_done: usize) {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new((steps_per_epoch * self.epochs) as u64);
            bar.set_position((steps_per_epoch * epochs_done) as u64);
            let style = "{prefix} {bar:32} {pos}/{len} steps, {eta} left, {msg}";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(self.name.clone());
            self.bar = Some(bar);
        }
        let images: u64 = manifest.train_counts.iter().sum();
        let parameters = manifest.architecture.num_parameters();
        let network = manifest.architecture.name();
        self.say(&format!(
            "{}: {images} images in {} classes, {network} with {parameters} parameters",
            self.name,
            manifest.classes.len(),
        ));
        if epochs_done > 0 {
            self.say(&format!("going on after epoch {epochs_done}"));
        }
    }

    fn step(&mut self, _epoch: usize, _step: usize, loss: f64) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!("loss {loss:.3}"));
        }
    }

    fn epoch(&mut self, report: &EpochReport) {
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "-".to_owned(), |v| format!("{:.1}", 100.0 * v))
        };
        self.say(&format!(
            "{} epoch {}/{}: loss {:.3}, validation {} (many {} / medium {} / few {}), largest offset {:.2}, {:.0} images/s",
            self.name,
            report.epoch,
            self.epochs,
            report.loss,
            percent(report.val_top1),
            percent(report.val_many),
            percent(report.val_medium),
            percent(report.val_few),
            report.largest_offset,
            report.images_per_second,
        ));
    }
}
