//! `tailfold parity`: the gate.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use tailfold_data::{DataSpec, Dataset};
use tailfold_parity::{ComparedModel, Policy, Report, Sides, Unchecked, compare};
use tailfold_runtime::LoadedModel;
use tailfold_spec::artifact;

use crate::model::Runtime;
use crate::output::{print, say};
use crate::scores::logits;

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
    #[command(flatten)]
    runtime: Runtime,
    /// Also write `parity.json` and `parity.md` into this folder.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.parity/1`), also when the comparison could not be made.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match judge(args) {
        Ok(report) => {
            if let Some(folder) = &args.report {
                artifact::write(&folder.join("parity.json"), report.to_json().as_bytes())?;
                artifact::write(&folder.join("parity.md"), report.to_markdown().as_bytes())?;
            }
            print(&if args.json {
                report.to_json()
            } else {
                report.to_table()
            });
            Ok(ExitCode::from(report.verdict.exit_code()))
        }
        Err(error) => {
            if args.json {
                print(&Unchecked::because(error.as_ref()).to_json());
            }
            Err(error)
        }
    }
}

fn judge(args: &Args) -> anyhow::Result<Report> {
    if let Some(folder) = &args.report {
        artifact::ensure_writable(folder)?;
    }
    let policy = match &args.policy {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    let reference = args.runtime.load(&args.reference)?;
    let candidate = args.runtime.load(&args.candidate)?;
    same_task(&reference, &candidate)?;
    let data = Dataset::open(&args.data)?;
    for (model, path) in [(&reference, &args.reference), (&candidate, &args.candidate)] {
        check_unseen(model, &data).with_context(|| path.display().to_string())?;
    }
    let scores = logits(&[&reference, &candidate], &data)?;
    let [a, b] = &scores[..] else {
        bail!("two models were run but {} answered", scores.len())
    };
    let card = ComparedModel {
        classes: candidate.card.classes.clone(),
        train_counts: candidate.card.train_counts.clone(),
    };
    let mut report = compare(a, b, data.labels(), &card, &policy)?;
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

fn same_task(reference: &LoadedModel, candidate: &LoadedModel) -> anyhow::Result<()> {
    let (a, b) = (&reference.card, &candidate.card);
    ensure!(
        a.classes == b.classes,
        "the reference has classes {:?}, the candidate {:?}",
        a.classes,
        b.classes
    );
    let (counts, others) = (&a.train_counts, &b.train_counts);
    ensure!(
        counts == others,
        "the reference has training counts {counts:?}, the candidate {others:?}"
    );
    if a.preprocess != b.preprocess {
        say("note: reference and candidate prepare images differently");
    }
    Ok(())
}

/// Checks that no evaluation image was used to calibrate `model`.
fn check_unseen(model: &LoadedModel, data: &Dataset) -> anyhow::Result<()> {
    let Some(quantization) = &model.card.quantization else {
        return Ok(());
    };
    let seen: BTreeSet<&str> = quantization
        .calibration_images
        .iter()
        .map(String::as_str)
        .collect();
    let hashes = data.pixel_hashes()?;
    let shared = hashes.iter().filter(|h| seen.contains(h.as_str())).count();
    if let Some(first) = hashes.iter().position(|h| seen.contains(h.as_str())) {
        bail!(
            "calibrated on {shared} of the evaluation images, the first {}",
            data.id(first)
        );
    }
    Ok(())
}
