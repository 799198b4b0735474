//! `cargo xtask export`: a run folder becomes an ONNX file, its offsets folded, checked before it gets its name.

mod asked;
mod choice;
mod expected;
mod report;
mod resolve;
mod sample;
mod scored;
mod table;
mod unfolded;
mod warning;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::ensure;
use clap::ValueEnum;
use serde::Serialize;
use tailfold_data::DataSpec;
use tailfold_onnx::{check, fold_offsets};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{AtExport, OffsetsRecord};

use crate::output::{print, say};
use crate::process;

pub(crate) use asked::AskedPrior;
pub(crate) use choice::plain;
pub(crate) use expected::{Weighted, by_class, right};
pub(crate) use report::refuse_training_images;
pub(crate) use resolve::resolve;
pub(crate) use sample::{Measure, Sample, Weighing};
pub(crate) use scored::Scored;
pub(crate) use unfolded::Unfolded;

use choice::{Choice, choose};
use report::Retarget;
use table::table;

/// Fold the class offsets of a run into its last layer's bias and write ONNX.
///
/// The file is compared with the training framework's answers by the runtime that will serve it, and only then renamed
/// into place. Where offsets are solved for a prior, a table says what every class asked for and got.
///
/// Example: cargo xtask export --run runs/sdot --out model.onnx --prior prior.json --evaluate embedded?split=val
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run folder.
    #[arg(long)]
    run: PathBuf,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    /// Deployment prior: `uniform`, `train`, `reversed` (the training counts turned round), or a JSON file with one mass a
    /// class, counts or shares (a list in label order, or an object by class name). Implies `--offsets resolve`.
    #[arg(long)]
    prior: Option<String>,
    /// Offsets to fold: those of training, none, or solved anew for the prior. The run's own choice without it.
    #[arg(long, value_enum)]
    offsets: Option<Offsets>,
    /// Solve on these labelled images, as a data spec, in place of the training features in the run folder. Images that were
    /// not trained on are better: on training images a network is surer than it will be.
    #[arg(long, value_name = "SPEC")]
    calibration: Option<DataSpec>,
    /// How much the images of a class weigh while solving.
    #[arg(long, value_enum, default_value_t)]
    weigh: Weighing,
    /// A class's mass is its mean probability at this temperature, in logits: 1 is that of the network's own
    /// probabilities. At 0 whole images count: the share that is answered with the class. 1 with `--prior`; 0 without, as in
    /// training.
    #[arg(long, value_name = "T", value_parser = temperature)]
    temperature: Option<f64>,
    /// Measure the accuracy to be expected under the prior on these labelled images, as a data spec: neither training nor
    /// calibration images.
    #[arg(long, value_name = "SPEC")]
    evaluate: Option<DataSpec>,
    /// Print one JSON object (schema `tailfold.export/1`).
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Offsets {
    Keep,
    Drop,
    Resolve,
}

impl From<AtExport> for Offsets {
    fn from(choice: AtExport) -> Self {
        match choice {
            AtExport::Keep => Self::Keep,
            AtExport::Drop => Self::Drop,
            AtExport::Resolve => Self::Resolve,
        }
    }
}

/// What an export made; `export --json`, schema `tailfold.export/1`.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    schema: &'static str,
    model: PathBuf,
    sha256: String,
    bytes: usize,
    offsets: OffsetsRecord,
    /// Where offsets were solved anew: what every class asked for and got.
    #[serde(skip_serializing_if = "Option::is_none")]
    retarget: Option<Retarget>,
    /// `tailfold verify --json` of the file against the run's goldens.
    verification: serde_json::Value,
}

impl Args {
    /// The export of `run` to `out` with the run's own offsets, or none.
    pub(crate) fn of_run(run: PathBuf, out: PathBuf, unfolded: bool) -> Self {
        Self {
            run,
            out,
            prior: None,
            offsets: unfolded.then_some(Offsets::Drop),
            calibration: None,
            weigh: Weighing::default(),
            temperature: None,
            evaluate: None,
            json: false,
        }
    }
}

/// 0, or what the solver takes.
fn temperature(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (1e-6..=1e6).contains(&value) || value.abs() <= 0.0 {
        Ok(value.abs())
    } else {
        Err("expected 0, or 1e-6 to 1e6".to_owned())
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let exported = export(args, &process::build("tailfold")?)?;
    if args.json {
        print(&serde_json::to_string(&exported)?);
    } else {
        if let Some(report) = &exported.retarget {
            print(&table(report));
        }
        say(&format!(
            "{}: {} bytes, offsets folded: {}, at most {:.2e} from the training framework, sha256 {}",
            exported.model.display(),
            exported.bytes,
            exported.offsets.origin,
            exported.verification["max_abs_logit_diff"]
                .as_f64()
                .unwrap_or(f64::NAN),
            exported.sha256,
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Exports with the program `tailfold` as the judge of the finished file.
pub(crate) fn export(args: &Args, tailfold: &Path) -> anyhow::Result<Exported> {
    let run = Unfolded::read(&args.run)?;
    let Choice { offsets, retarget } = choose(args, &run, tailfold)?;
    let mut model = run.model;
    fold_offsets(&mut model, &offsets)?;
    check(&model)?;
    let bytes = model.to_bytes();
    let mut verification = serde_json::Value::Null;
    artifact::write_checked(&args.out, &bytes, |file| -> Result<(), Refused> {
        verification = verify(tailfold, file, &args.run)?;
        Ok(())
    })
    .map_err(|refused| refused.0)?;
    Ok(Exported {
        schema: "tailfold.export/1",
        model: args.out.clone(),
        sha256: artifact::sha256(&bytes),
        bytes: bytes.len(),
        offsets,
        retarget,
        verification,
    })
}

/// Why the finished file did not get its name.
struct Refused(anyhow::Error);

impl From<ArtifactError> for Refused {
    fn from(error: ArtifactError) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

fn verify(tailfold: &Path, file: &Path, run: &Path) -> anyhow::Result<serde_json::Value> {
    let mut command = Command::new(tailfold);
    command
        .arg("verify")
        .arg("--model")
        .arg(file)
        .arg("--golden")
        .arg(run)
        .arg("--json");
    let answer = process::json(&mut command, &[0, 1])?;
    ensure!(
        answer["holds"] == true,
        "the exported graph does not answer as the training framework did: {answer}"
    );
    Ok(answer)
}
