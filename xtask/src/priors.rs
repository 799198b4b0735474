//! `cargo xtask priors`: one model served under three priors, re-targeted, as it is, and by logit adjustment.

mod arms;
mod measure;
mod report;
mod resample;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_data::DataSpec;
use tailfold_spec::artifact;

use crate::export::{AskedPrior, Sample, Scored, Unfolded, plain, refuse_training_images};
use crate::output::{print, say};
use crate::process;

use arms::{Base, arms};
use report::{Drawn, Report};

/// Serve one trained model under the uniform prior, that of training and its reverse: re-targeted by optimal transport, as a
/// plain export has it, and by adding the logarithm of the priors' ratio. Accuracies are of test images that are drawn anew
/// for each prior, and of all of them, each class weighing what the prior gives it.
///
/// Nothing is chosen on the test images: every offset is known before they are opened.
///
/// Example: cargo xtask priors --run models/fashion-lt --evaluate embedded?split=test --calibration embedded?split=val
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run folder.
    #[arg(long)]
    run: PathBuf,
    /// Labelled test images, as a data spec: neither training nor calibration images.
    #[arg(long, value_name = "SPEC")]
    evaluate: DataSpec,
    /// Solve on these labelled images too, beside the training features in the run folder.
    #[arg(long, value_name = "SPEC")]
    calibration: Option<DataSpec>,
    /// Test sets drawn for each prior: seeds 0, 1, ...
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// Images of a drawn test set; as many as every prior can be drawn with, without repeats, without it.
    #[arg(long)]
    images: Option<usize>,
    /// Write the tables as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the result as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.priors/1`) instead of the tables.
    #[arg(long)]
    json: bool,
}

/// Under which the model is served.
const PRIORS: [&str; 3] = ["uniform", "train", "reversed"];

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let tailfold = process::build("tailfold")?;
    let run = Unfolded::read(&args.run)?;
    let priors = PRIORS
        .iter()
        .map(|name| AskedPrior::parse(name, &run.manifest))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let calibration = args.calibration.as_ref();
    let calibration = calibration
        .map(|spec| Scored::of(&run, &tailfold, spec))
        .transpose()?;
    let base = Base::of(&run, plain(&run)?)?;
    let mut samples = vec![Sample::of_features(&run)?];
    samples.extend(calibration.as_ref().map(Sample::of_images));
    let arms = priors
        .iter()
        .map(|prior| arms(&base, prior, &samples))
        .collect::<anyhow::Result<Vec<_>>>()?;

    let test = Scored::of(&run, &tailfold, &args.evaluate)?;
    if let Some(calibration) = &calibration {
        test.refuse_images_of(calibration.images(), "those that offsets are solved on")?;
    }
    if let Some(warning) = refuse_training_images(&test, &run)? {
        say(&format!("warning: {warning}"));
    }
    let drawn = Drawn::new(args.seeds, args.images, &priors, &test)?;
    let report = Report::of(&run, &base, (&priors, &arms), &test, drawn, &samples);
    let json = serde_json::to_string_pretty(&report)? + "\n";
    let markdown = report.markdown();
    if let Some(path) = &args.report {
        artifact::write(path, json.as_bytes())?;
    }
    if let Some(path) = &args.markdown {
        artifact::write(path, markdown.as_bytes())?;
    }
    print(if args.json { &json } else { &markdown }.trim_end());
    Ok(ExitCode::SUCCESS)
}
