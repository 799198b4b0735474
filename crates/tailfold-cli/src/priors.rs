//! `tailfold priors`: compares re-targeting with a plain export and with logit adjustment, under three priors.

mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_console::{print, say};
use tailfold_data::DataSpec;
use tailfold_export::{PriorsOptions, Unfolded, compare_priors};
use tailfold_spec::{OutputCheck, artifact};

use crate::export::{Bars, add_run};

/// Compare ways to serve one trained model under three deployment priors.
///
/// The priors are the uniform prior, the training prior and its reverse. The ways are re-targeting by optimal transport, a
/// plain export, and logit adjustment (adding the logarithm of the ratio of the priors). Each accuracy is measured on test
/// sets drawn for the prior, and on all test images weighted by the prior. No choice uses the test images: all offsets are
/// known before the test images are opened.
///
/// Example: tailfold priors --run models/fashion-lt --evaluate embedded?split=test --calibration embedded?split=val
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run folder.
    #[arg(long)]
    run: PathBuf,
    /// Labelled test images, as a data spec: neither training nor calibration images.
    #[arg(long, value_name = "SPEC")]
    evaluate: DataSpec,
    /// Also solve on these labelled images, in addition to the training features in the run folder.
    #[arg(long, value_name = "SPEC")]
    calibration: Option<DataSpec>,
    /// Number of test sets per prior, drawn with the seeds 0, 1, ...
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// Images per drawn test set. Default: the largest number that every prior allows without repeats.
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

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.files().check()?;
    let model = Unfolded::read(&args.run)?;
    let options = PriorsOptions {
        evaluate: args.evaluate.clone(),
        calibration: args.calibration.clone(),
        seeds: args.seeds,
        images: args.images,
    };
    let bars = Bars::default();
    let (report, warning) = compare_priors(&model, &options, &|step| bars.show(step))?;
    if let Some(warning) = warning {
        say(&format!("warning: {warning}"));
    }
    let json = serde_json::to_string_pretty(&report)? + "\n";
    let markdown = table::markdown(&report);
    if let Some(path) = &args.report {
        artifact::write(path, json.as_bytes())?;
    }
    if let Some(path) = &args.markdown {
        artifact::write(path, markdown.as_bytes())?;
    }
    print(if args.json { &json } else { &markdown }.trim_end());
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn files(&self) -> OutputCheck {
        let mut files = OutputCheck::default();
        for (option, out) in [("--markdown", &self.markdown), ("--report", &self.report)] {
            out.iter().for_each(|out| files.writes(option, out));
        }
        add_run(&mut files, &self.run);
        self.evaluate.add_to(&mut files, "--evaluate");
        let calibration = self.calibration.iter();
        calibration.for_each(|spec| spec.add_to(&mut files, "--calibration"));
        files
    }
}
