//! `tailfold-train`: trains one configuration and writes a run folder.

mod help_files;
mod memory;
mod progress;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{CommandFactory as _, Parser, ValueEnum};
use clap_complete::Shell;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use tailfold_train::{
    BackEnd, EpochReport, Outcome, TrainConfig, TrainError, TrainErrorKind, keys_json_schema,
    keys_markdown, train,
};

use crate::progress::{Progress, Stopped};

/// Train a long-tailed classifier and write a run folder.
///
/// Example: tailfold-train --config models/fashion-lt/sdot.toml --out runs/fashion-sdot
///
/// Several runs from one file: --set optimizer.learning_rate=0.3 --set loss=ce --set offsets= --set contrastive=
///
/// An interrupted run (Ctrl-C, SIGTERM, --max-minutes or a kill) continues with --resume and gives the same result.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Configuration file.
    #[arg(long, required = true)]
    config: Option<PathBuf>,
    /// Run folder to write.
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// Seed; overrides the configuration.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of epochs; overrides the configuration.
    #[arg(long)]
    epochs: Option<usize>,
    /// Training data; overrides the configuration.
    #[arg(long)]
    data: Option<String>,
    /// Validation data; overrides the configuration.
    #[arg(long)]
    validation: Option<String>,
    /// Override one value of the configuration: a dotted key and a TOML value (a string needs no quotes); `KEY=`
    /// removes the key. Can be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Device for training.
    #[arg(long, value_enum, default_value_t = BackEnd::Cpu)]
    device: BackEnd,
    /// Continue from the last saved state of an interrupted run, if there is one.
    #[arg(long)]
    resume: bool,
    /// Save the state and stop after the first step that ends later than this many minutes.
    #[arg(long, value_name = "MINUTES", value_parser = minutes)]
    max_minutes: Option<Duration>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Print every key of a configuration with its type, default and meaning: as Markdown, or as a JSON schema for editors.
    #[arg(long, value_name = "FORMAT", value_enum, num_args = 0..=1, default_missing_value = "markdown", exclusive = true)]
    keys: Option<KeysFormat>,
    /// Print the completion script of a shell.
    #[arg(long, value_name = "SHELL", value_enum, exclusive = true)]
    completions: Option<Shell>,
    /// Write the manual page of this program into a folder.
    #[arg(long, value_name = "DIR", exclusive = true)]
    man: Option<PathBuf>,
}

/// Format of the list of keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeysFormat {
    /// A page in Markdown.
    Markdown,
    /// A JSON schema.
    Json,
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text.parse().map_err(|e| format!("{e}"))?;
    Duration::try_from_secs_f64(60.0 * minutes).map_err(|e| e.to_string())
}

/// The output of `--json`, with schema `tailfold.train/1`.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    schema: &'static str,
    /// The run folder.
    run: &'a PathBuf,
    /// Whether the run reached its end; `--resume` continues a run that was stopped.
    finished: bool,
    /// One row per finished epoch, as in `metrics.csv`.
    epochs: &'a [EpochReport],
    /// Validation accuracy after the last epoch, for the weights that were written.
    last_val_top1: Option<f64>,
    /// Epoch with the best validation accuracy, from 1, for information only: the last weights are written.
    best_epoch: Option<usize>,
    /// Validation accuracy of the best epoch.
    best_val_top1: Option<f64>,
    /// SHA-256 of `checkpoint.safetensors`; absent (null) when the run is not finished.
    checkpoint_sha256: Option<&'a str>,
    /// Number of training and validation images that were skipped (`images.on_corrupt = "skip"`); stderr names each.
    images_left_out: usize,
    /// Peak memory of the process in bytes; absent (null) where the system does not report it.
    peak_rss_bytes: Option<u64>,
}

impl<'a> Summary<'a> {
    fn new(run: &'a PathBuf, outcome: &'a Outcome, images_left_out: usize) -> Self {
        let best = outcome.best_epoch();
        Self {
            schema: "tailfold.train/1",
            run,
            finished: outcome.manifest.is_some(),
            epochs: &outcome.reports,
            last_val_top1: outcome.reports.last().and_then(|r| r.val_top1),
            best_epoch: best.map(|r| r.epoch),
            best_val_top1: best.and_then(|r| r.val_top1),
            checkpoint_sha256: outcome
                .manifest
                .as_ref()
                .map(|m| m.files.checkpoint_sha256.as_str()),
            images_left_out,
            peak_rss_bytes: memory::peak_rss_bytes(),
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match help(&args).and_then(|done| if done { Ok(()) } else { run(&args) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&error, args.device);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "log output goes to stderr")]
fn report_error(error: &anyhow::Error, device: BackEnd) {
    let hint = error
        .chain()
        .find_map(|cause| hint(cause.downcast_ref()?, device));
    eprintln!("error: {error:#}{}", hint.unwrap_or_default());
}

/// Returns advice for an error about the availability of `device`.
fn hint(error: &TrainError, device: BackEnd) -> Option<String> {
    match error.kind() {
        TrainErrorKind::NotBuilt => Some(format!(
            ": build with `--features tailfold-train/{}`, or train with `--device cpu`",
            device.as_str()
        )),
        TrainErrorKind::NoGpu => Some("; train with `--device cpu`".to_owned()),
        _ => None,
    }
}

/// Returns a flag that SIGINT or SIGTERM sets; a second signal ends the program at once, as by default.
fn watch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let signal = Arc::new(AtomicBool::new(false));
    for number in [SIGINT, SIGTERM] {
        // The order matters: the first signal finds the flag unset and sets it, and the next signal finds it set.
        signal_hook::flag::register_conditional_default(number, Arc::clone(&signal))
            .and_then(|_| signal_hook::flag::register(number, Arc::clone(&signal)))
            .context("cannot listen to signals")?;
    }
    Ok(signal)
}

/// Prints or writes the help that the arguments ask for; false when they ask for training.
fn help(args: &Args) -> anyhow::Result<bool> {
    let text = if let Some(folder) = &args.man {
        help_files::write_manual(Args::command(), folder)?;
        return Ok(true);
    } else if let Some(shell) = args.completions {
        help_files::completions(Args::command(), shell)
    } else {
        match args.keys {
            Some(KeysFormat::Markdown) => keys_markdown().into_bytes(),
            Some(KeysFormat::Json) => {
                let mut text = serde_json::to_vec_pretty(&keys_json_schema())?;
                text.push(b'\n');
                text
            }
            None => return Ok(false),
        }
    };
    // A closed pipe is not an error.
    let _ = std::io::stdout().write_all(&text);
    Ok(true)
}

fn run(args: &Args) -> anyhow::Result<()> {
    let (config_file, out) = (
        args.config.as_ref().context("give --config FILE")?,
        args.out.as_ref().context("give --out DIR")?,
    );
    let mut config = TrainConfig::read_with(config_file, &args.set).map_err(|error| {
        let (file, text) = (config_file.display().to_string(), error.to_string());
        let error = anyhow::Error::from(error);
        // Some errors already begin with the file.
        if text.starts_with(&file) {
            error
        } else {
            error.context(file)
        }
    })?;
    config.seed = args.seed.unwrap_or(config.seed);
    config.epochs = args.epochs.unwrap_or(config.epochs);
    config.data = args.data.clone().unwrap_or(config.data);
    config.validation = args.validation.clone().or(config.validation);
    let device = args.device.open()?.autodiff();
    let mut progress = Progress::new(&config, args.max_minutes, watch_signals()?);
    let state = out.join("resume");
    if state.exists() && !args.resume {
        progress.say(&format!(
            "starting over: the saved state of an unfinished run in {} will be replaced; use --resume to continue that run",
            state.display()
        ));
    }
    let outcome = train(&config, out, args.resume, &device, &mut progress)
        .with_context(|| config_file.display().to_string())?;
    if args.json {
        print_json(&Summary::new(out, &outcome, progress.left_out))?;
    }
    if outcome.manifest.is_some() {
        return Ok(());
    }
    let (epoch, step) = progress.at;
    let stopped = format!(
        "stopped after step {step} of epoch {epoch}, state saved in {}: repeat the command with --resume to continue",
        state.display()
    );
    match progress.stopped {
        Some(Stopped::Signal) => bail!("interrupted: {stopped}"),
        _ => progress.say(&stopped),
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the result of a command goes to stdout"
)]
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
