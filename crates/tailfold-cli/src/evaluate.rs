//! `tailfold evaluate`: accuracy of one model by group.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use tailfold_data::{DataSpec, Dataset};
use tailfold_parity::Accuracy;
use tailfold_spec::Group;

use crate::model::Runtime;
use crate::output::print;
use crate::scores::logits;

/// Accuracy of a model on labelled images: overall, many, medium, few, and each class.
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
    runtime: Runtime,
    /// Print one JSON object (schema `tailfold.evaluate/1`).
    #[arg(long)]
    json: bool,
}

/// `evaluate --json`, schema `tailfold.evaluate/1`. Accuracies are shares of 1; a group's is the mean of its classes'.
#[derive(Serialize)]
struct Evaluation {
    schema: &'static str,
    model_sha256: String,
    images: usize,
    top1: f64,
    many: Option<f64>,
    medium: Option<f64>,
    few: Option<f64>,
    /// `[num_classes]`, label order; null for a class without images.
    per_class: Vec<Option<f64>>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let model = args.runtime.load(&args.model)?;
    let data = Dataset::open(&args.data)?;
    let scores = logits(&[&model], &data)?;
    let accuracy = Accuracy::of(&scores[0], data.labels(), &model.card.train_counts)?;
    if args.json {
        print(&serde_json::to_string(&Evaluation {
            schema: "tailfold.evaluate/1",
            model_sha256: model.sha256,
            images: data.len(),
            top1: accuracy.overall,
            many: accuracy.group(Group::Many),
            medium: accuracy.group(Group::Medium),
            few: accuracy.group(Group::Few),
            per_class: accuracy.per_class,
        })?);
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!(
        "{:<8} {:>6.2} % of {} images",
        "overall",
        100.0 * accuracy.overall,
        data.len()
    ));
    for group in Group::ALL {
        if let Some(value) = accuracy.group(group) {
            print(&format!("{group:<8} {:>6.2} %", 100.0 * value));
        }
    }
    Ok(ExitCode::SUCCESS)
}
