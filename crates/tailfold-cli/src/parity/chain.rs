//! `tailfold parity chain`: checks every step from the training framework to INT8 and names the first step that breaks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use tailfold::{Backend, Golden, Verification};
use tailfold_console::print;
use tailfold_data::{DataSpec, Dataset};
use tailfold_onnx::add_model_files;
use tailfold_parity::chain::{Checked, Evidence, ModelFile, Outcome, StepLogits};
use tailfold_parity::{ComparedModel, Policy, Verdict};
use tailfold_spec::{OutputCheck, artifact};

use super::calibration_overlap::Seen;
use super::pictures::Pictures;
use crate::model::{Ort, backends};
use crate::scores::logits;

#[cfg(feature = "tract")]
mod bisect;
mod golden;
mod load;
#[cfg(not(feature = "tract"))]
mod no_bisect;

use load::{Files, Loaded};
#[cfg(not(feature = "tract"))]
use no_bisect as bisect;

/// Compare each form of a model with the previous form and with the first: goldens of the training framework, float
/// ONNX, FP16 and INT8, on each available back end. The first step that breaks is named.
///
/// Float models must agree within a tolerance and have equal top-1 classes; FP16 and INT8 models must pass the gate of
/// the policy. Unavailable back ends are listed and counted.
///
/// Exit codes: 0 all steps hold, 1 a step breaks, 2 could not be checked, 3 inconclusive (too few images to tell).
///
/// Example: tailfold parity chain --reference model.onnx --candidate model.int8.onnx --data embedded?split=test
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Float model.
    #[arg(long)]
    reference: PathBuf,
    /// Answers of the training framework: `golden.safetensors`, or the run folder that holds this file.
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// Model in half precision.
    #[arg(long, value_name = "FILE")]
    half: Option<PathBuf>,
    /// INT8 model.
    #[arg(long)]
    candidate: PathBuf,
    /// Labelled evaluation images, as a data spec.
    #[arg(long)]
    data: DataSpec,
    /// Policy file with margins and error level for FP16 and INT8. Default: the built-in policy.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Largest accepted logit difference between float models, relative to the largest logit. The default covers
    /// rounding: some hundred f32 additions in another order, in some dozen layers.
    #[arg(long, default_value_t = Verification::TOLERANCE, value_name = "SHARE")]
    float_tolerance: f64,
    /// Back end that must be available for each of its steps; may be repeated.
    #[arg(long, value_parser = backends())]
    backend: Vec<Backend>,
    #[command(flatten)]
    ort: Ort,
    /// Find the first tensor, and its node, whose divergence explains the top-1 classes that change between the float
    /// and the INT8 model. The search puts values and weights of the float model into the INT8 model.
    #[arg(long)]
    bisect: bool,
    /// Also write `chain.json` and `chain.md` into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.parity-chain/1`), even if the chain could not be checked.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let outcome = check(args).inspect_err(|error| {
        if args.json {
            print(&Outcome::unchecked(error.as_ref()).to_json());
        }
    })?;
    let (json, text) = (outcome.to_json(), text(&outcome));
    if let Some(folder) = &args.report {
        for (file, form) in REPORT.iter().zip([&json, &text]) {
            artifact::write(&folder.join(file), form.as_bytes())?;
        }
    }
    print(if args.json { &json } else { &text });
    Ok(ExitCode::from(outcome.verdict.exit_code()))
}

/// Returns the outcome as text. After a failure, the text names the option for the bisection.
fn text(outcome: &Outcome) -> String {
    let mut text = outcome.to_markdown();
    if outcome.bisect.is_none() && outcome.verdict == Verdict::Fail {
        text += "\n- `--bisect` looks for the first tensor that explains it";
    }
    text
}

/// Names of the files in the folder of `--report`.
const REPORT: [&str; 2] = ["chain.json", "chain.md"];

/// Checks that no output file is an input file.
fn check_files(args: &Args) -> anyhow::Result<()> {
    let mut files = OutputCheck::default();
    if let Some(folder) = &args.report {
        for file in REPORT {
            files.writes("file of --report", folder.join(file));
        }
    }
    for (option, file) in [
        ("--reference", Some(&args.reference)),
        ("--half", args.half.as_ref()),
        ("--candidate", Some(&args.candidate)),
    ] {
        if let Some(file) = file {
            add_model_files(&mut files, option, file);
        }
    }
    for (role, file) in [
        ("file of --golden", &args.golden),
        ("file of --policy", &args.policy),
    ] {
        file.iter().for_each(|file| files.reads(role, file));
    }
    args.data.add_to(&mut files, "--data");
    args.ort.add_to(&mut files);
    Ok(files.check()?)
}

fn check(args: &Args) -> anyhow::Result<Outcome> {
    check_files(args)?;
    if let Some(folder) = &args.report {
        artifact::ensure_writable(folder)?;
    }
    anyhow::ensure!(
        args.float_tolerance.is_finite() && args.float_tolerance >= 0.0,
        "--float-tolerance is {}, expected a finite number, not negative",
        args.float_tolerance
    );
    let policy = match &args.policy {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    let golden = args.golden.as_deref().map(Golden::read).transpose()?;
    let files = Files {
        float: &args.reference,
        half: args.half.as_deref(),
        int8: &args.candidate,
    };
    let Loaded { ready, absent } = load::load(&files, &args.backend, &policy, &args.ort)?;
    let data = Dataset::open(&args.data)?;
    check_calibration_overlap(&ready, &data)?;
    let golden = golden
        .map(|golden| golden::against_golden(&golden, &ready[0], args.float_tolerance))
        .transpose()?;
    let models: Vec<_> = ready.iter().map(|step| &step.model).collect();
    let scores = logits(&models, &data)?;
    let cards: Vec<ComparedModel> = models.iter().map(|m| (&m.card).into()).collect();
    let steps = ready.iter().zip(&cards).zip(&scores);
    let steps: Vec<StepLogits<'_>> = steps
        .map(|((step, model), logits)| StepLogits {
            stage: step.stage,
            backend: step.backend.name(),
            model,
            logits,
        })
        .collect();
    let evidence = Evidence {
        steps: &steps,
        labels: data.labels(),
        policy: &policy,
        float_tolerance: args.float_tolerance,
    };
    let steps = evidence.judge(golden)?;
    let checked = Checked {
        data: data.spec().to_string(),
        images: data.len(),
        float_tolerance: args.float_tolerance,
        models: model_files(&files, &ready),
        not_at_hand: absent,
        policy,
    };
    let mut outcome = Outcome::of(steps, checked)?;
    if args.bisect {
        let found = bisect::bisect(&ready, &scores, &data);
        outcome.bisect = Some(found.context("cannot bisect")?);
    }
    Ok(outcome)
}

/// Refuses evaluation images that a model was calibrated on.
fn check_calibration_overlap(ready: &[load::Ready], data: &Dataset) -> anyhow::Result<()> {
    let numbers: Vec<usize> = (0..data.len()).collect();
    let pictures = Pictures::of(data, &numbers)?;
    let mut files = Vec::new();
    for step in ready {
        if !files.contains(&&step.file) {
            files.push(&step.file);
            Seen::of(&step.model, &step.file, &pictures).refuse()?;
        }
    }
    Ok(())
}

fn model_files(files: &Files<'_>, ready: &[load::Ready]) -> Vec<ModelFile> {
    let of = |path: &Path| {
        let file = path.display().to_string();
        let step = ready.iter().find(|step| step.file == file)?;
        Some(ModelFile {
            stage: step.stage,
            sha256: step.model.sha256.clone(),
            file,
        })
    };
    let paths = [Some(files.float), files.half, Some(files.int8)];
    paths.into_iter().flatten().filter_map(of).collect()
}
