//! `tailfold parity`: the gate.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use tailfold_data::{DataSpec, Dataset};
use tailfold_parity::{ComparedModel, Policy, Report, Sides, Unchecked, compare};
use tailfold_part::{Kind, Parts};
use tailfold_runtime::LoadedModel;
use tailfold_spec::artifact;

use crate::model::Runtime;
use crate::output::{print, say};
use crate::partial::{self, Asked, Sharding, Share};
use crate::scores::logits;

mod pictures;
mod same;
mod training;
mod unseen;

use pictures::Pictures;
use same::Allow;
use unseen::Seen;

/// Compare a candidate with its reference, overall and for many, medium and few, paired image by image.
///
/// Exit codes: 0 pass, 1 fail, 2 could not be checked, 3 inconclusive (too few images to tell).
///
/// Example: tailfold parity --reference model.onnx --candidate model.int8.onnx --data embedded?split=test
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file to compare with.
    #[arg(long)]
    reference: PathBuf,
    /// Model file to judge.
    #[arg(long)]
    candidate: PathBuf,
    /// Labelled evaluation images, as a data spec.
    #[arg(long)]
    data: DataSpec,
    /// Margins and level; the defaults without it.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Training images, as a data spec (the `data` of the run's `manifest.toml`): the evaluation must not share any.
    #[arg(long, value_name = "DATA", conflicts_with = "shard")]
    training: Option<DataSpec>,
    #[command(flatten)]
    runtime: Runtime,
    #[command(flatten)]
    sharding: Sharding,
    /// Also write `parity.json` and `parity.md` into this folder.
    #[arg(long, conflicts_with = "shard")]
    report: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.parity/1`), also when the comparison could not be made.
    #[arg(long, conflicts_with = "shard")]
    json: bool,
    #[command(flatten)]
    allow: Allow,
}

/// What a shard says beside logits.
#[derive(Serialize, Deserialize)]
struct Found {
    name: String,
    classes: Vec<String>,
    train_counts: Vec<u64>,
    /// Reference and candidate.
    seen: [Seen; 2],
    pictures: Pictures,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some((shard, path)) = args.sharding.get() {
        let task = Task::of(args)?;
        return task.share(&Share::of(&task.data, shard, path));
    }
    match judge(args) {
        Ok(report) => say_verdict(&report, args.report.as_deref(), args.json),
        Err(error) => {
            if args.json {
                print(&Unchecked::because(error.as_ref()).to_json());
            }
            Err(error)
        }
    }
}

/// What one run over all images prints and writes, from its parts.
pub(crate) fn merge(parts: &Parts, folder: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(folder) = folder {
        artifact::ensure_writable(folder)?;
    }
    let mut asked: Asked = parts.asked()?;
    let labels = partial::labels(parts, &asked)?;
    let mut found = parts.found::<Found>()?;
    let seen = found.iter().map(|f| f.seen.clone()).collect();
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
    let card = ComparedModel {
        name,
        classes,
        train_counts,
    };
    let mut report = compare(&reference?, &candidate?, &labels, &card, &policy)?;
    report.backends = sides(asked.backend)?;
    report.model_sha256 = sides(asked.model_sha256)?;
    say_verdict(&report, folder, json)
}

fn say_verdict(report: &Report, folder: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(folder) = folder {
        artifact::write(&folder.join("parity.json"), report.to_json().as_bytes())?;
        artifact::write(&folder.join("parity.md"), report.to_markdown().as_bytes())?;
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
    /// Files of the two, as given.
    files: [String; 2],
    data: Dataset,
}

impl Task {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let policy = match &args.policy {
            Some(path) => Policy::read(path)?,
            None => Policy::default(),
        };
        let reference = args.runtime.load(&args.reference)?;
        let candidate = args.runtime.load(&args.candidate)?;
        same::check(&reference, &candidate, &policy, args.allow)?;
        Ok(Self {
            policy,
            reference,
            candidate,
            files: [&args.reference, &args.candidate].map(|path| path.display().to_string()),
            data: Dataset::open(&args.data)?,
        })
    }

    /// What the two have seen of `pictures`.
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
            say(&format!("warning, and an error of the merge: {seen:#}"));
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
            pictures,
        })?;
        share.write(&part)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn judge(args: &Args) -> anyhow::Result<Report> {
    if let Some(folder) = &args.report {
        artifact::ensure_writable(folder)?;
    }
    let task = Task::of(args)?;
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
    report.model_sha256 = Sides {
        reference: reference.sha256,
        candidate: candidate.sha256,
    };
    Ok(report)
}

/// Reference and candidate of a part's header.
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
