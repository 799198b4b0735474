//! `tailfold export`: folds class offsets into the last bias of a classifier.

mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use indicatif::ProgressBar;
use tailfold_console::{print, say};
use tailfold_data::{DataSpec, Dataset};
use tailfold_export::{Offsets, Progress, Solve, Unfolded, Weighing, export};
use tailfold_onnx::add_model_files;
use tailfold_spec::{AtExport, Manifest, OutputCheck};

use crate::describe_args::Describe;

/// Fold class offsets into the last bias of a classifier and write ONNX.
///
/// The classifier is a run folder of `tailfold-train` (`--run`) or an ONNX file of any exporter (`--model`). The file
/// gets its name only if it gives the expected logits. For offsets that are solved for a prior, a table compares the
/// mass of each class with its mass under the prior.
///
/// Example: tailfold export --run models/fashion-lt --out model.onnx --prior prior.json --evaluate embedded?split=val
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run folder.
    #[arg(long, required_unless_present = "model", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// ONNX file. Its offsets are solved on the images of `--calibration`; a Softmax at the end is kept.
    #[arg(long, value_name = "FILE", requires_all = ["prior", "calibration"])]
    model: Option<PathBuf>,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    /// Deployment prior: `uniform`, `train`, `reversed` (the training counts in reversed order of frequency), or a JSON file
    /// with one mass per class, counts or shares (a list in label order, or an object by class name). Implies
    /// `--offsets resolve`.
    #[arg(long)]
    prior: Option<String>,
    /// Offsets to fold. Default: the choice in the run folder.
    #[arg(long, value_enum, conflicts_with = "model")]
    offsets: Option<Choice>,
    /// Solve on these labelled images, as a data spec, instead of the training features of the run folder. Use images that
    /// the network was not trained on: on training images it is too confident.
    #[arg(long, value_name = "SPEC")]
    calibration: Option<DataSpec>,
    /// Total weight of the images of each class while offsets are solved.
    #[arg(long, value_enum, default_value_t)]
    weigh: Weigh,
    /// Temperature, in logits, of the softmax whose mean over the images is the mass of a class. At 0 the mass is the
    /// share of images with the class as top-1. Default: 1 with `--prior`, otherwise 0, as in training.
    #[arg(long, value_name = "T", value_parser = temperature)]
    temperature: Option<f64>,
    /// Measure the expected accuracy under the prior on these labelled images, as a data spec: neither training nor
    /// calibration images.
    #[arg(long, value_name = "SPEC")]
    evaluate: Option<DataSpec>,
    #[command(flatten)]
    describe: Describe,
    /// Print one JSON object (schema `tailfold.export/1`).
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The offsets of training.
    Keep,
    /// No offsets.
    Drop,
    /// Offsets solved for the prior.
    Resolve,
}

impl From<AtExport> for Choice {
    fn from(choice: AtExport) -> Self {
        match choice {
            AtExport::Keep => Self::Keep,
            AtExport::Drop => Self::Drop,
            AtExport::Resolve => Self::Resolve,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Weigh {
    /// The prior mass of the class: the images are weighted like the images of the deployment.
    #[default]
    Prior,
    /// The same weight for every class.
    Balanced,
}

impl From<Weigh> for Weighing {
    fn from(weigh: Weigh) -> Self {
        match weigh {
            Weigh::Prior => Self::Prior,
            Weigh::Balanced => Self::Balanced,
        }
    }
}

/// Parses 0, or a temperature that the solver accepts.
fn temperature(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (1e-6..=1e6).contains(&value) || value.abs() <= 0.0 {
        Ok(value.abs())
    } else {
        Err("expected 0, or 1e-6 to 1e6".to_owned())
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.files().check()?;
    let model = args.unfolded()?;
    let offsets = args.offsets(&model)?;
    let bars = Bars::default();
    let exported = export(&model, &args.out, &offsets, &|step| bars.show(step))?;
    if args.json {
        print(&serde_json::to_string(&exported)?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(report) = &exported.retarget {
        print(&table::table(report));
    }
    say(&format!(
        "{}: {} bytes, offsets folded: {}, at most {:.2e} from {}, sha256 {}",
        exported.model.display(),
        exported.bytes,
        exported.offsets.origin,
        exported.verification.max_abs_logit_diff,
        exported.verification.against,
        exported.sha256,
    ));
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn files(&self) -> OutputCheck {
        let mut files = OutputCheck::default();
        files.writes("--out", &self.out);
        if let Some(model) = &self.model {
            add_model_files(&mut files, "--model", model);
        }
        if let Some(run) = &self.run {
            add_run(&mut files, run);
        }
        let priors = ["uniform", "train", "reversed"];
        let prior = self.prior.iter().filter(|p| !priors.contains(&p.as_str()));
        prior.for_each(|prior| files.reads("file of --prior", prior));
        for (option, spec) in [
            ("--calibration", &self.calibration),
            ("--evaluate", &self.evaluate),
        ] {
            spec.iter().for_each(|spec| spec.add_to(&mut files, option));
        }
        self.describe.add_to(&mut files);
        files
    }

    fn unfolded(&self) -> anyhow::Result<Unfolded> {
        if let Some(run) = &self.run {
            let described = self.describe.arguments();
            ensure!(
                described.is_empty(),
                "a run folder describes its model: use {} with --model",
                described[0]
                    .to_string_lossy()
                    .split('=')
                    .next()
                    .unwrap_or_default()
            );
            return Ok(Unfolded::read(run)?);
        }
        let (Some(model), Some(calibration)) = (&self.model, &self.calibration) else {
            bail!("give --run RUN, or --model FILE with --prior and --calibration");
        };
        let data = Dataset::open(calibration)?;
        let description = self.describe.description()?;
        let opened = Unfolded::open(model, &description, data.classes())?;
        if opened.takes_classes() {
            say(&format!(
                "warning: {} has no class names: its outputs get the class names of {calibration}, in the order of the labels",
                model.display()
            ));
        }
        Ok(opened)
    }

    fn offsets(&self, model: &Unfolded) -> anyhow::Result<Offsets> {
        let choice = match (self.offsets, &self.prior) {
            (Some(Choice::Keep | Choice::Drop), Some(_)) => bail!(
                "--prior needs offsets solved for it: use it with `--offsets resolve` or alone"
            ),
            (None, Some(_)) => Choice::Resolve,
            (Some(choice), _) => choice,
            (None, None) => {
                let choice = model.at_export();
                choice
                    .context("give --prior: a model file has no offsets")?
                    .into()
            }
        };
        let plain = match choice {
            Choice::Keep => Offsets::Trained,
            Choice::Drop => Offsets::None,
            Choice::Resolve => {
                return Ok(Offsets::Solved(Box::new(Solve {
                    prior: self.prior.clone(),
                    calibration: self.calibration.clone(),
                    weighing: self.weigh.into(),
                    temperature: self.temperature,
                    evaluate: self.evaluate.clone(),
                })));
            }
        };
        for (option, given) in [
            ("--calibration", self.calibration.is_some()),
            ("--evaluate", self.evaluate.is_some()),
            ("--temperature", self.temperature.is_some()),
        ] {
            ensure!(
                !given,
                "{option} is for solved offsets: use it with `--prior` or `--offsets resolve`"
            );
        }
        Ok(plain)
    }
}

/// Adds the files of the run folder `run` to the inputs of `files`.
pub(crate) fn add_run(files: &mut OutputCheck, run: &Path) {
    for file in [
        Manifest::FILE,
        Manifest::CHECKPOINT,
        Manifest::OFFSETS,
        Manifest::FEATURES,
        Manifest::GOLDEN,
    ] {
        files.reads("file of --run", run.join(file));
    }
}

/// The progress bar of the images that the network runs on.
#[derive(Default)]
pub(crate) struct Bars(Mutex<Option<ProgressBar>>);

impl Bars {
    pub(crate) fn show(&self, step: Progress<'_>) {
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Progress::Scoring { data, images } => {
                say(&format!("scoring {data}"));
                *bar = Some(tailfold_console::bar("scoring", images));
            }
            Progress::Image => bar.iter().for_each(|bar| bar.inc(1)),
            Progress::Scored => bar.take().iter().for_each(ProgressBar::finish_and_clear),
            _ => {}
        }
    }
}
