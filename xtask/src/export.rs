//! `cargo xtask export`: a run folder becomes an ONNX file, its offsets folded, checked before it gets its name.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use tailfold_onnx::{Checkpoint, Model, build, check, fold_offsets};
use tailfold_sdot::{AffineHead, Options, balanced_weights};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{AtExport, Manifest, ModelCard, OffsetsRecord, Prior, PriorError};

use crate::output::{print, say};
use crate::process;

/// Fold the class offsets of a run into its last layer's bias and write ONNX.
///
/// The file is compared with the training framework's answers by the runtime that will serve it, and only then renamed
/// into place.
///
/// Example: cargo xtask export --run runs/sdot --out model.onnx --prior uniform
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run folder.
    #[arg(long)]
    run: PathBuf,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    /// Deployment prior: `uniform`, `train`, or a JSON file with one mass a class (a list in label order, or an object
    /// by class name). Implies `--offsets resolve`.
    #[arg(long)]
    prior: Option<String>,
    /// Offsets to fold: those of training, none, or solved anew for the prior. The run's own choice without it.
    #[arg(long, value_enum)]
    offsets: Option<Offsets>,
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
            json: false,
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let exported = export(args, &process::build("tailfold")?)?;
    if args.json {
        print(&serde_json::to_string(&exported)?);
    } else {
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
    let manifest = Manifest::read(&args.run)?;
    let bytes = manifest.read_file(&args.run, Manifest::CHECKPOINT)?;
    let checkpoint = Checkpoint::from_safetensors(&bytes, &args.run.join(Manifest::CHECKPOINT))?;
    let card = ModelCard {
        name: manifest.name.clone(),
        architecture: manifest.architecture.name(),
        classes: manifest.classes.clone(),
        train_counts: manifest.train_counts.clone(),
        preprocess: manifest.preprocess.clone(),
        offsets: None,
        checkpoint_sha256: manifest.files.checkpoint_sha256.clone(),
        quantization: None,
    };
    let mut model = build(&manifest.architecture, &checkpoint, &card)?;
    let offsets = choose(args, &manifest, &model)?;
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

fn choose(args: &Args, manifest: &Manifest, model: &Model) -> anyhow::Result<OffsetsRecord> {
    let choice = match (args.offsets, &args.prior) {
        (Some(Offsets::Keep | Offsets::Drop), Some(_)) => {
            anyhow::bail!(
                "--prior needs offsets solved for it: use it with `--offsets resolve` or alone"
            )
        }
        (None, Some(_)) => Offsets::Resolve,
        (Some(choice), None) => choice,
        (Some(Offsets::Resolve), Some(_)) => Offsets::Resolve,
        (None, None) => manifest.at_export.into(),
    };
    // Read in every case: a damaged run folder is never exported.
    let trained = manifest.read_offsets(&args.run)?;
    match choice {
        Offsets::Keep => Ok(trained),
        Offsets::Drop => Ok(OffsetsRecord::zeros(manifest.classes.len())),
        Offsets::Resolve => resolve(
            &prior(args.prior.as_deref(), &manifest.classes)?,
            &args.run,
            manifest,
            model,
        ),
    }
}

fn prior(text: Option<&str>, classes: &[String]) -> Result<Prior, PriorError> {
    match text {
        None | Some("uniform") => Ok(Prior::Uniform),
        Some("train") => Ok(Prior::Train),
        Some(path) => Prior::read(Path::new(path), classes),
    }
}

/// Offsets that give every class its share of `prior` on the run's class-balanced training features.
fn resolve(
    prior: &Prior,
    run: &Path,
    manifest: &Manifest,
    model: &Model,
) -> anyhow::Result<OffsetsRecord> {
    let path = run.join(Manifest::FEATURES);
    let bytes = manifest.read_file(run, Manifest::FEATURES)?;
    let (features, labels) = features(&bytes).with_context(|| path.display().to_string())?;
    // The names under which `build` writes the head, with a cosine head's scale already in the weights.
    let (shape, weights) = model.initializer_f32("head.weight")?;
    let (_, bias) = model.initializer_f32("head.bias")?;
    let dim = shape.get(1).copied().unwrap_or(0);
    let target = prior.masses(&manifest.train_counts)?;
    let sample_weights = balanced_weights(&labels, target.len())?;
    let solution = AffineHead::new(&weights, &bias, dim)?.solve(
        &features,
        Some(&sample_weights),
        &target,
        &Options::default(),
    )?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "offsets are a few logits; f32 is what a head adds"
    )]
    let offsets = solution.offsets.iter().map(|&h| h as f32).collect();
    Ok(OffsetsRecord {
        schema: OffsetsRecord::SCHEMA.to_owned(),
        offsets,
        origin: "resolved".to_owned(),
        source: "balanced-features".to_owned(),
        target,
        mass: solution.mass,
        chi_square: solution.chi_square,
        largest_relative_error: solution.largest_relative_error,
        stop: solution.stop.to_string(),
    })
}

/// Features `[n, d]`, row-major, and labels `[n]`.
fn features(bytes: &[u8]) -> anyhow::Result<(Vec<f32>, Vec<usize>)> {
    let tensors = SafeTensors::deserialize(bytes)?;
    let (features, labels) = (tensors.tensor("features")?, tensors.tensor("labels")?);
    ensure!(
        features.dtype() == Dtype::F32 && labels.dtype() == Dtype::I64,
        "features are {:?} and labels {:?}, expected F32 and I64",
        features.dtype(),
        labels.dtype(),
    );
    let (values, _) = features.data().as_chunks::<4>();
    let (classes, _) = labels.data().as_chunks::<8>();
    let labels = classes
        .iter()
        .map(|c| usize::try_from(i64::from_le_bytes(*c)));
    Ok((
        values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        labels.collect::<Result<_, _>>()?,
    ))
}
