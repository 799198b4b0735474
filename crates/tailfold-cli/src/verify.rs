//! `tailfold verify`: does an exported file say what the training framework said?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use tailfold_data::{DataSpec, Dataset};
use tailfold_runtime::LoadedModel;
use tailfold_spec::Logits;

use crate::describe_args::Describe;
use crate::golden::Golden;
use crate::model::Runtime;
use crate::output::print;
use crate::scores::logits;

/// Largest logit difference that rounding explains, as a share of the largest logit: a few hundred f32 additions in
/// another order, through some dozen layers.
pub(crate) const TOLERANCE: f64 = 1e-4;

/// Compare an exported model with the training framework's own answers (`--golden RUN`), or with the same model without
/// offsets plus its offsets (`--unfolded MODEL --data SPEC`). Exit code 1 when they differ.
///
/// Example: tailfold verify --model model.onnx --golden runs/fashion-sdot
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exported, folded float model.
    #[arg(long)]
    model: PathBuf,
    /// Run folder whose golden inputs and scores are compared.
    #[arg(long, required_unless_present = "unfolded", conflicts_with_all = ["unfolded", "data"])]
    golden: Option<PathBuf>,
    /// The same network with zero offsets.
    #[arg(long, requires = "data")]
    unfolded: Option<PathBuf>,
    /// Images to compare both on, as a data spec.
    #[arg(long)]
    data: Option<DataSpec>,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    /// Print one JSON object (schema `tailfold.verify/1`).
    #[arg(long)]
    json: bool,
}

/// `verify --json`, schema `tailfold.verify/1`.
#[derive(Serialize)]
struct Verification {
    schema: &'static str,
    against: &'static str,
    holds: bool,
    images: usize,
    /// Images whose winning class differs.
    changed_decisions: usize,
    max_abs_logit_diff: f64,
    tolerance: f64,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let description = args.describe.description()?;
    let mut model = args.runtime.load(&args.model, &description)?;
    let verification = match (&args.golden, &args.unfolded, &args.data) {
        (Some(run), _, _) => against_golden(&mut model, run)?,
        (None, Some(unfolded), Some(data)) => {
            against_unfolded(&model, &args.runtime.load(unfolded, &description)?, data)?
        }
        _ => bail!("give --golden RUN, or --unfolded MODEL with --data SPEC"),
    };
    if args.json {
        print(&serde_json::to_string(&verification)?);
    } else {
        print(&format!(
            "{}: {} images against {}, {} changed decisions, largest logit difference {:.2e} (tolerance {:.2e})",
            if verification.holds {
                "holds"
            } else {
                "DOES NOT HOLD"
            },
            verification.images,
            verification.against,
            verification.changed_decisions,
            verification.max_abs_logit_diff,
            verification.tolerance,
        ));
    }
    Ok(ExitCode::from(u8::from(!verification.holds)))
}

fn against_golden(model: &mut LoadedModel, run: &Path) -> anyhow::Result<Verification> {
    let golden = Golden::of_run(run)?;
    let expected = golden.expected(&model.card)?;
    let found = model.classifier.logits(&golden.inputs)?;
    compare("the training framework", &expected, &found)
}

fn against_unfolded(
    model: &LoadedModel,
    unfolded: &LoadedModel,
    data: &DataSpec,
) -> anyhow::Result<Verification> {
    ensure!(
        model.card.checkpoint_sha256 == unfolded.card.checkpoint_sha256,
        "the two models come from different checkpoints: {} and {}",
        model.card.checkpoint_sha256,
        unfolded.card.checkpoint_sha256,
    );
    ensure!(
        offsets(unfolded)?
            .iter()
            .all(|h| h.abs() < f32::MIN_POSITIVE),
        "the unfolded model has offsets of its own"
    );
    let scores = logits(&[unfolded, model], &Dataset::open(data)?)?;
    let [raw, found] = &scores[..] else {
        bail!("two models were run but {} answered", scores.len())
    };
    let offsets = offsets(model)?;
    ensure!(
        offsets.len() == raw.num_classes(),
        "{} offsets for {} classes",
        offsets.len(),
        raw.num_classes()
    );
    let rows = raw.rows();
    let expected = rows.flat_map(|row| row.iter().zip(&offsets).map(|(s, h)| s + h));
    let expected = Logits::new(expected.collect(), raw.num_classes())?;
    compare("scores plus offsets", &expected, found)
}

fn offsets(model: &LoadedModel) -> anyhow::Result<Vec<f32>> {
    Ok(model
        .card
        .offsets
        .as_ref()
        .context("the model's offsets are not folded")?
        .offsets
        .clone())
}

/// Compares `expected` with `found`, row by row.
fn compare(
    against: &'static str,
    expected: &Logits,
    found: &Logits,
) -> anyhow::Result<Verification> {
    ensure!(!expected.is_empty(), "there is no image to compare");
    ensure!(
        expected.len() == found.len() && expected.num_classes() == found.num_classes(),
        "{} rows of {} classes were expected but {} of {} came back",
        expected.len(),
        expected.num_classes(),
        found.len(),
        found.num_classes()
    );
    let (mut worst, mut largest, mut changed) = (0.0_f64, 1.0_f64, 0);
    for (index, (expected, found)) in expected.rows().zip(found.rows()).enumerate() {
        let (Some((a, _)), Some((b, _))) = (Logits::top1(expected), Logits::top1(found)) else {
            bail!("a logit of image {index} is not a number");
        };
        changed += usize::from(a != b);
        for (e, f) in expected.iter().zip(found) {
            worst = worst.max(f64::from((e - f).abs()));
            largest = largest.max(f64::from(e.abs()));
        }
    }
    let tolerance = TOLERANCE * largest;
    Ok(Verification {
        schema: "tailfold.verify/1",
        against,
        holds: changed == 0 && worst <= tolerance,
        images: expected.len(),
        changed_decisions: changed,
        max_abs_logit_diff: worst,
        tolerance,
    })
}
