//! `tailfold describe`: writes class names, training counts and preprocessing into a third-party model's metadata.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use tailfold::ModelFile;
use tailfold_console::print;
use tailfold_onnx::{Model, add_model_files};
use tailfold_spec::{CardParts, ModelCard, OutputCheck, artifact};

use crate::describe_args::Describe;

/// Write class names, training counts and preprocessing into a model's metadata, so that no command asks for them again.
///
/// The written file has the canonical form of the model (docs/third-party.md) with its original input and output, and
/// holds all weights itself. Of several outputs, only the one chosen by `--output` is kept.
///
/// Example: tailfold describe --model resnet.onnx --labels names.txt --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
/// --resize 256 --out described.onnx
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    describe: Describe,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = args.model.display().to_string();
    let mut files = OutputCheck::default();
    files.writes("--out", &args.out);
    add_model_files(&mut files, "--model", &args.model);
    args.describe.add_to(&mut files);
    files.check()?;
    let description = args.describe.description()?;
    let opened = ModelFile::read(&args.model, &description.options)?.opened;
    let mut model = opened.model.clone();
    ensure!(
        !ModelCard::is_in(&model.props()),
        "{name} was exported by tailfold: its metadata already has class names, training counts and preprocessing"
    );
    let parts = description.parts(&opened).with_context(|| name.clone())?;
    ensure!(
        parts != CardParts::default(),
        "nothing to write: give --labels, --counts, or --mean and --std"
    );
    check_lengths(&opened.model, &parts).with_context(|| name.clone())?;
    opened.ports.restore(&mut model);
    for (key, value) in parts.to_props() {
        model.set_prop(key, value);
    }
    check(&model, &name)?;
    artifact::write(&args.out, &model.to_bytes())?;
    let known: Vec<String> = parts.to_props().into_keys().collect();
    print(&format!("{}: {}", args.out.display(), known.join(", ")));
    Ok(ExitCode::SUCCESS)
}

/// Checks that there is one class name and one training count per class.
///
/// If the file does not declare the length of its output, there must be as many counts as names.
fn check_lengths(model: &Model, parts: &CardParts) -> anyhow::Result<()> {
    let shape = model.output()?.shape();
    let known: Option<Vec<usize>> = shape.and_then(|s| s.into_iter().skip(1).collect());
    let known = known.map(|lengths| lengths.into_iter().product::<usize>());
    let names = parts.classes.as_ref().map(Vec::len);
    if let Some(classes) = known.or(names) {
        parts.check_lengths(classes)?;
    }
    Ok(())
}

fn check(model: &Model, name: &str) -> anyhow::Result<()> {
    tailfold_onnx::check(model).with_context(|| format!("{name}, as it would be written"))
}
