//! `tailfold parity`: the accuracy gate for a candidate model.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use tailfold::{Backend, LoadedModel, check_classes};
use tailfold_console::{print, say};
use tailfold_data::{DataSpec, Dataset};
use tailfold_onnx::add_model_files;
use tailfold_parity::{ComparedModel, Policy, Report, Run, Sides, compare};
use tailfold_part::{Kind, Parts};

use crate::describe_args::Describe;
use crate::model::{Runtime, open_data};
use crate::partial::{self, Asked, Sharding, Share};
use crate::scores::logits;

mod calibration_overlap;
mod chain;
mod diff;
mod files;
mod latency;
mod pictures;
mod ran;
mod reports;
mod same;
mod training;

use calibration_overlap::Seen;
use files::{Elsewhere, are_logits, stands_in};
use pictures::Pictures;
pub(crate) use reports::add_reports;
use same::Allow;

/// Compare a candidate with its reference, overall and for many, medium and few, paired image by image.
///
/// Exit codes: 0 pass, 1 fail, 2 could not be checked, 3 inconclusive (too few images to tell).
///
/// Example: tailfold parity --reference model.onnx --candidate model.int8.onnx --data embedded?split=test
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Command {
    #[command(subcommand)]
    more: Option<More>,
    #[command(flatten)]
    pair: Option<Args>,
}

#[derive(Debug, clap::Subcommand)]
enum More {
    Chain(Box<chain::Args>),
    Diff(diff::Args),
}

pub(crate) fn start(command: &Command) -> anyhow::Result<ExitCode> {
    match (&command.more, &command.pair) {
        (Some(More::Chain(args)), _) => chain::run(args),
        (Some(More::Diff(args)), _) => diff::run(args),
        (None, Some(args)) => run(args),
        (None, None) => bail!("give --reference, --candidate and --data"),
    }
}

/// Two models and how to compare them.
#[derive(Debug, clap::Args)]
// The group records whether the options are given. clap leaves it empty for a struct with flattened structs.
#[group(args = ["reference"])]
pub(crate) struct Args {
    /// Model file to compare with, or a file of its logits.
    #[arg(long)]
    reference: PathBuf,
    /// Model file to check, or a file of its logits.
    #[arg(long)]
    candidate: PathBuf,
    /// Labelled evaluation images, as a data spec. Required for models, refused for files of logits.
    #[arg(long)]
    data: Option<DataSpec>,
    /// Policy file with margins and error level. Default: the built-in policy.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Training images, as a data spec (the `data` of the run's `manifest.toml`). Evaluation images among them are an
    /// error.
    #[arg(long, value_name = "DATA", conflicts_with = "shard")]
    training: Option<DataSpec>,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    #[command(flatten)]
    sharding: Sharding,
    /// Also write `parity.json`, `parity.md`, `parity.xml` (JUnit) and `parity.html` into this folder. Old reports are
    /// replaced, even if the comparison ends with an error.
    #[arg(long, conflicts_with = "shard")]
    report: Option<PathBuf>,
    /// Report (`parity.json`) of an accepted run on the same images. A regression from it fails; `[baseline]` of the
    /// policy sets the limits.
    #[arg(long, value_name = "REPORT", conflicts_with = "shard")]
    baseline: Option<PathBuf>,
    /// Print a policy file that fits the measured results, instead of the report. The exit code is 0 for every verdict.
    #[arg(long, conflicts_with_all = ["shard", "json", "report", "baseline"])]
    suggest: bool,
    /// Also time both models on single images, on one thread. With these times, reports differ from run to run.
    #[arg(long, conflicts_with = "shard")]
    latency: bool,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Print one JSON object (schema `tailfold.parity/1`), even if the comparison ends with an error.
    #[arg(long, conflicts_with = "shard")]
    json: bool,
    #[command(flatten)]
    allow: Allow,
}

/// The facts that a part holds in addition to the logits.
#[derive(Serialize, Deserialize)]
struct Found {
    name: String,
    classes: Vec<String>,
    train_counts: Vec<u64>,
    /// Reference and candidate.
    seen: [Seen; 2],
    run: Run,
    pictures: Pictures,
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // The folder of the reports is left alone: one of its files may be an input.
    check_files(args).inspect_err(|error| say_unchecked(error, None, args.json))?;
    if let Some((shard, path)) = args.sharding.get() {
        let task = Task::of(args)?;
        return task.share(&Share::of(&task.data, shard, path));
    }
    judge(args).inspect_err(|error| say_unchecked(error, args.report.as_deref(), args.json))
}

/// Checks that no output file is an input file. The report of `--baseline` may be replaced: it is read first.
fn check_files(args: &Args) -> anyhow::Result<()> {
    let mut files = args.sharding.files();
    if let Some(folder) = &args.report {
        add_reports(&mut files, folder);
    }
    for (option, file) in [
        ("--reference", &args.reference),
        ("--candidate", &args.candidate),
    ] {
        add_model_files(&mut files, option, file);
    }
    for (option, data) in [("--data", &args.data), ("--training", &args.training)] {
        if let Some(data) = data {
            data.add_to(&mut files, option);
        }
    }
    let policy = args.policy.iter();
    policy.for_each(|file| files.reads("file of --policy", file));
    args.elsewhere.add_to(&mut files);
    args.describe.add_to(&mut files);
    args.runtime.ort.add_to(&mut files);
    Ok(files.check()?)
}

/// Reports a comparison that ended with `error`, in the folder and as JSON, if they are requested.
pub(crate) fn say_unchecked(error: &anyhow::Error, folder: Option<&Path>, json: bool) {
    if let Some(folder) = folder {
        reports::write_unchecked(folder, error.as_ref());
    }
    if json {
        print(&reports::unchecked(error.as_ref()).to_json());
    }
}

/// Merges the parts, then prints and writes the result of one run over all images.
pub(crate) fn merge(parts: &Parts, folder: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(folder) = folder {
        reports::begin(folder)?;
    }
    let mut asked: Asked = parts.asked()?;
    let labels = partial::labels(parts, &asked)?;
    let mut found = parts.found::<Found>()?;
    let seen = found.iter().map(|f| f.seen.clone()).collect();
    let runs = found.iter().map(|f| f.run.clone()).collect();
    Seen::merge(seen).iter().try_for_each(Seen::refuse)?;
    let policy = asked.policy.take().unwrap_or_default();
    let pictures = found.iter_mut().map(|f| std::mem::take(&mut f.pictures));
    Pictures::merge(pictures).refuse_duplicates(&policy)?;
    let logits = ["reference", "candidate"].map(|side| partial::logits(parts, side));
    let [reference, candidate] = logits;
    let Found {
        name,
        classes,
        train_counts,
        ..
    } = found.swap_remove(0);
    let mut card = ComparedModel::new(classes, train_counts);
    card.name = name;
    let mut report = compare(&reference?, &candidate?, &labels, &card, &policy)?;
    report.backends = sides(asked.backend)?;
    report.model_sha256 = sides(asked.model_sha256)?;
    report.run = ran::merged(runs);
    // The page shows pictures if the images of the parts are available here.
    let data = folder.and_then(|_| Dataset::open(&asked.data.parse().ok()?).ok());
    let data = data.filter(|data| partial::is_of(data, &asked.labels_sha256, &asked.names_sha256));
    say_verdict(&report, data.as_ref(), folder, json)
}

fn say_verdict(
    report: &Report,
    data: Option<&Dataset>,
    folder: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    if let Some(folder) = folder {
        reports::write(folder, report, data)?;
    }
    print(&if json {
        report.to_json()
    } else {
        report.to_table()
    });
    Ok(ExitCode::from(report.verdict.exit_code()))
}

/// Two models and the images to compare them on.
struct Task {
    policy: Policy,
    reference: LoadedModel,
    candidate: LoadedModel,
    /// Files of the reference and the candidate, as given.
    files: [String; 2],
    data: Dataset,
    run: Run,
}

impl Task {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let data = args
            .data
            .as_ref()
            .context("give --data SPEC: the labelled images to run the models on")?;
        ensure!(
            !stands_in(&args.describe),
            "--counts evaluation is for two files of logits: give a file with the training counts of the models"
        );
        let policy = policy(args)?;
        let data = open_data(data)?;
        let description = args.describe.description()?;
        let load = |path: &Path| args.runtime.load_for(path, &description, &data);
        let (mut reference, mut candidate) = (load(&args.reference)?, load(&args.candidate)?);
        share_counts(&mut reference, &mut candidate);
        same::check(&reference, &candidate, &policy, args.allow)?;
        Ok(Self {
            policy,
            run: ran::models(args, &reference, &candidate)?,
            reference,
            candidate,
            files: [&args.reference, &args.candidate].map(|path| path.display().to_string()),
            data,
        })
    }

    /// Returns the `pictures` that each of the two models was calibrated on.
    fn seen(&self, pictures: &Pictures) -> [Seen; 2] {
        let [reference, candidate] = &self.files;
        [
            Seen::of(&self.reference, reference, pictures),
            Seen::of(&self.candidate, candidate, pictures),
        ]
    }

    /// Scores a share of the images and writes its part.
    fn share(&self, share: &Share<'_>) -> anyhow::Result<ExitCode> {
        let pictures = Pictures::of(&share.data, &share.own)?;
        let seen = self.seen(&pictures);
        for seen in seen.iter().filter_map(|seen| seen.refuse().err()) {
            say(&format!("warning: {seen:#}; merging this part is an error"));
        }
        let models = [&self.reference, &self.candidate];
        let scores = logits(&models, &share.data)?;
        let asked = Asked {
            policy: Some(self.policy.clone()),
            ..Asked::of(&models, &self.data)
        };
        let logits: Vec<_> = ["reference", "candidate"]
            .into_iter()
            .zip(&scores)
            .collect();
        let mut part = share.part(Kind::Parity, &asked, &logits)?;
        part.say(&Found {
            name: self.candidate.card.name.clone(),
            classes: self.candidate.card.classes.clone(),
            train_counts: self.candidate.card.train_counts.clone(),
            seen,
            run: self.run.clone(),
            pictures,
        })?;
        share.write(&part)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Copies the training counts of one model to the other if only one of them has any.
fn share_counts(a: &mut LoadedModel, b: &mut LoadedModel) {
    let unknown = |model: &LoadedModel| model.card.train_counts.iter().all(|&n| n == 0);
    if a.card.train_counts.len() != b.card.train_counts.len() {
        return;
    }
    if unknown(a) {
        a.card.train_counts.clone_from(&b.card.train_counts);
    } else if unknown(b) {
        b.card.train_counts.clone_from(&a.card.train_counts);
    }
}

/// Returns the policy for the back end that runs the candidate.
fn policy(args: &Args) -> anyhow::Result<Policy> {
    let Some(path) = &args.policy else {
        return Ok(Policy::default());
    };
    let policy = Policy::read(path)?;
    for name in policy.backends.keys() {
        name.parse::<Backend>()
            .with_context(|| format!("{}: backends.{name}", path.display()))?;
    }
    Ok(policy.on_backend(args.runtime.backend.name()))
}

/// Compares the two sides, and the report with the baseline if it is given.
fn judge(args: &Args) -> anyhow::Result<ExitCode> {
    // The baseline is read before the images are scored, because it may be unusable, and before old reports are
    // removed, because it may be one of them.
    let baseline = args.baseline.as_deref().map(Report::read).transpose()?;
    if let Some(folder) = &args.report {
        reports::begin(folder)?;
    }
    let (report, data) = if are_logits(&args.reference, &args.candidate)? {
        ensure!(
            args.data.is_none(),
            "files of logits have no images: --data is for models"
        );
        let policy = policy(args)?;
        ensure!(!args.latency, "files of logits have no latency");
        let of_models = args.describe.of_models();
        ensure!(
            of_models.is_empty(),
            "files of logits are compared as they are: {} is for models",
            of_models.join(OsStr::new(" ")).to_string_lossy()
        );
        ensure!(
            args.training.is_none() && args.allow.arguments().next().is_none(),
            "files of logits have neither images nor metadata: --training and --allow-... are for models"
        );
        let mut report =
            args.elsewhere
                .compare(&args.describe, [&args.reference, &args.candidate], &policy)?;
        report.run = Some(ran::files(args)?);
        (report, None)
    } else {
        let (report, data) = judge_models(args)?;
        (report, Some(data))
    };
    let report = match (&baseline, &args.baseline) {
        (Some(accepted), Some(path)) => report
            .against(accepted)
            .with_context(|| path.display().to_string())?,
        _ => report,
    };
    if args.suggest {
        print(Policy::suggest(&report).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    say_verdict(&report, data.as_ref(), args.report.as_deref(), args.json)
}

/// Compares two models and returns the report and the images.
fn judge_models(args: &Args) -> anyhow::Result<(Report, Dataset)> {
    let task = Task::of(args)?;
    for model in [&task.reference, &task.candidate] {
        check_classes(model, &task.data)?;
    }
    let numbers: Vec<usize> = (0..task.data.len()).collect();
    let pictures = Pictures::of(&task.data, &numbers)?;
    task.seen(&pictures).iter().try_for_each(Seen::refuse)?;
    pictures.refuse_duplicates(&task.policy)?;
    if let Some(spec) = &args.training {
        training::refuse_shared(spec, &pictures, &task.policy)?;
    }
    let Task {
        policy,
        reference,
        candidate,
        data,
        run,
        ..
    } = task;
    let scores = logits(&[&reference, &candidate], &data)?;
    let [a, b] = &scores[..] else {
        bail!("two models were run but {} answered", scores.len())
    };
    let compared = ComparedModel::from(&candidate.card);
    let mut report = compare(a, b, data.labels(), &compared, &policy)?;
    report.backends = Sides {
        reference: reference.classifier.name().to_owned(),
        candidate: candidate.classifier.name().to_owned(),
    };
    report.run = Some(run);
    if args.latency {
        latency::measure(&mut report, [&reference, &candidate], &data)?;
    }
    report.model_sha256 = Sides {
        reference: reference.sha256,
        candidate: candidate.sha256,
    };
    Ok((report, data))
}

/// Splits the values of a part's header into reference and candidate.
fn sides(values: Vec<String>) -> anyhow::Result<Sides<String>> {
    let number = values.len();
    let Ok([reference, candidate]) = <[String; 2]>::try_from(values) else {
        bail!("the parts are of {number} models, expected a reference and a candidate")
    };
    Ok(Sides {
        reference,
        candidate,
    })
}
