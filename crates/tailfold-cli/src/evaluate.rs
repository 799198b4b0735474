//! `tailfold evaluate`: measures the accuracy of one model per class group.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use tailfold_console::print;
use tailfold_data::DataSpec;
use tailfold_onnx::add_model_files;
use tailfold_parity::Accuracy;
use tailfold_part::{Kind, Parts};
use tailfold_spec::{Group, Logits};

use crate::describe_args::Describe;
use crate::model::{Runtime, open_data};
use crate::partial::{self, Asked, Sharding, Share};
use crate::scores::logits;

/// Measure the accuracy of a model on labelled images: overall, for many, medium and few, and per class.
///
/// Example: tailfold evaluate --model model.onnx --data embedded?split=test
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Labelled images, as a data spec.
    #[arg(long)]
    data: DataSpec,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    #[command(flatten)]
    sharding: Sharding,
    /// Print one JSON object (schema `tailfold.evaluate/1`).
    #[arg(long, conflicts_with = "shard")]
    json: bool,
}

/// `evaluate --json`, schema `tailfold.evaluate/1`. Accuracies are shares of 1; the accuracy of a group is the mean
/// over its classes.
#[derive(Serialize)]
struct Evaluation {
    schema: &'static str,
    model_sha256: String,
    images: usize,
    top1: f64,
    many: Option<f64>,
    medium: Option<f64>,
    few: Option<f64>,
    /// Accuracy per class in label order, `[num_classes]`; null for a class without images.
    per_class: Vec<Option<f64>>,
}

/// The logits of a model on all images, from one run or from merged parts.
struct Scored<'a> {
    model_sha256: String,
    train_counts: &'a [u64],
    logits: &'a Logits,
    labels: &'a [usize],
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut files = args.sharding.files();
    add_model_files(&mut files, "--model", &args.model);
    args.data.add_to(&mut files, "--data");
    args.describe.add_to(&mut files);
    args.runtime.ort.add_to(&mut files);
    files.check()?;
    let data = open_data(&args.data)?;
    let description = args.describe.description()?;
    let model = args.runtime.load_for(&args.model, &description, &data)?;
    if let Some((shard, path)) = args.sharding.get() {
        let share = Share::of(&data, shard, path);
        let scores = logits(&[&model], &share.data)?;
        let asked = Asked::of(&[&model], &data);
        let mut part = share.part(Kind::Evaluate, &asked, &[("logits", &scores[0])])?;
        part.say(&model.card.train_counts)?;
        share.write(&part)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scores = logits(&[&model], &data)?;
    let scored = Scored {
        model_sha256: model.sha256,
        train_counts: &model.card.train_counts,
        logits: &scores[0],
        labels: data.labels(),
    };
    say_accuracy(scored, args.json)
}

/// Merges the parts and prints the result of one run over all images.
pub(crate) fn merge(parts: &Parts, json: bool) -> anyhow::Result<ExitCode> {
    let asked: Asked = parts.asked()?;
    let labels = partial::labels(parts, &asked)?;
    let scored = Scored {
        model_sha256: asked.model_sha256.concat(),
        // All parts come from the same model.
        train_counts: &parts.found::<Vec<u64>>()?[0],
        logits: &partial::logits(parts, "logits")?,
        labels: &labels,
    };
    say_accuracy(scored, json)
}

fn say_accuracy(scored: Scored<'_>, json: bool) -> anyhow::Result<ExitCode> {
    let images = scored.labels.len();
    let accuracy = Accuracy::of(scored.logits, scored.labels, scored.train_counts)?;
    if json {
        print(&serde_json::to_string(&Evaluation {
            schema: "tailfold.evaluate/1",
            model_sha256: scored.model_sha256,
            images,
            top1: accuracy.overall,
            many: accuracy.group(Group::Many),
            medium: accuracy.group(Group::Medium),
            few: accuracy.group(Group::Few),
            per_class: accuracy.per_class,
        })?);
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!(
        "{:<8} {:>6.2} % of {images} images",
        "overall",
        100.0 * accuracy.overall,
    ));
    for group in Group::ALL {
        if let Some(value) = accuracy.group(group) {
            print(&format!("{group:<8} {:>6.2} %", 100.0 * value));
        }
    }
    Ok(ExitCode::SUCCESS)
}
