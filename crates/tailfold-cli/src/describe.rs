//! `tailfold describe`: writes what a model of another tool does not say into its metadata.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use tailfold_onnx::Model;
use tailfold_runtime::open_file;
use tailfold_spec::{CardParts, ModelCard, artifact};

use crate::describe_args::Describe;
use crate::output::print;

/// Write class names, training counts and preprocessing into a model's metadata, so that no command asks for them again.
///
/// The file has the model in canonical form (docs/third-party.md), with the input and output that it had, and its values
/// inside. Of several outputs, the one chosen by `--output` is kept.
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
    let same = args.out.canonicalize().ok() == args.model.canonicalize().ok();
    ensure!(
        !(same && args.out.exists()),
        "--out {} is the model itself",
        args.out.display()
    );
    let description = args.describe.description()?;
    let (opened, _) = open_file(&args.model, &description.options)?;
    let mut model = opened.model.clone();
    ensure!(
        !ModelCard::is_in(&model.props()),
        "{name} was built by tailfold and says all this itself"
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

/// Names and counts have to be as many as the classes of the output, as far as the file says their number.
fn check_lengths(model: &Model, parts: &CardParts) -> anyhow::Result<()> {
    let shape = model.output()?.shape();
    let known: Option<Vec<usize>> = shape.and_then(|s| s.into_iter().skip(1).collect());
    let known = known.map(|lengths| lengths.into_iter().product::<usize>());
    let names = parts.classes.as_ref().map(Vec::len);
    let counts = parts.train_counts.as_ref().map(Vec::len);
    let classes = known.or(names);
    for (what, found) in [("class names", names), ("training counts", counts)] {
        if let (Some(found), Some(classes)) = (found, classes) {
            ensure!(found == classes, "{found} {what} for {classes} classes");
        }
    }
    Ok(())
}

fn check(model: &Model, name: &str) -> anyhow::Result<()> {
    tailfold_onnx::check(model).with_context(|| format!("{name}, as it would be written"))
}
