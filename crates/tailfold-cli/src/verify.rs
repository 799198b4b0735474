//! `tailfold verify`: compares an exported model with the answers of the training framework.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use tailfold::{Golden, LoadedModel, Verification};
use tailfold_console::print;
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::Logits;

use crate::describe_args::Describe;
use crate::model::Runtime;
use crate::scores::logits;

/// Compare an exported model with the answers of the training framework (`--golden RUN`), or with the logits of the
/// unfolded model plus the offsets (`--unfolded MODEL --data SPEC`). Exit code 1 if they differ.
///
/// Example: tailfold verify --model model.onnx --golden runs/fashion-sdot
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exported, folded float model.
    #[arg(long)]
    model: PathBuf,
    /// Run folder with the golden inputs and scores to compare with.
    #[arg(long, required_unless_present = "unfolded", conflicts_with_all = ["unfolded", "data"])]
    golden: Option<PathBuf>,
    /// Model file of the same network with zero offsets.
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

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let description = args.describe.description()?;
    let mut model = args.runtime.load(&args.model, &description)?;
    let verification = match (&args.golden, &args.unfolded, &args.data) {
        (Some(run), _, _) => Verification::with_golden(&mut model, &Golden::of_run(run)?)?,
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
    let mut own = unfolded.card.offsets.iter().flat_map(|o| &o.offsets);
    ensure!(
        own.all(|h| h.abs() < f32::MIN_POSITIVE),
        "the unfolded model has offsets of its own"
    );
    let scores = logits(&[unfolded, model], &Dataset::open(data)?)?;
    let [raw, found] = &scores[..] else {
        bail!("two models were run but {} answered", scores.len())
    };
    let offsets = model.card.offsets.as_ref();
    let offsets = &offsets
        .context("the model's offsets are not folded")?
        .offsets;
    ensure!(
        offsets.len() == raw.num_classes(),
        "{} offsets for {} classes",
        offsets.len(),
        raw.num_classes()
    );
    let rows = raw.rows();
    let expected = rows.flat_map(|row| row.iter().zip(offsets).map(|(s, h)| s + h));
    let expected = Logits::new(expected.collect(), raw.num_classes())?;
    Ok(Verification::of("scores plus offsets", &expected, found)?)
}
