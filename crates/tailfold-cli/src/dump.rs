//! `tailfold logits`: inputs and logits as a file, for judges outside.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use safetensors::tensor::{Dtype, TensorView};
use tailfold_data::{DataSpec, Dataset, preprocess};
use tailfold_spec::artifact;

use crate::model::Runtime;
use crate::output::say;
use crate::scores::logits;

/// Write a model's logits on a data set as safetensors: `logits [n, classes]`, `labels [n]` and, if asked for,
/// `inputs [n, channels, height, width]` as the network saw them.
///
/// Example: tailfold logits --model model.onnx --data embedded?split=test --inputs --out logits.safetensors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Images, as a data spec.
    #[arg(long)]
    data: DataSpec,
    /// Also write the preprocessed inputs.
    #[arg(long)]
    inputs: bool,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    runtime: Runtime,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let model = args.runtime.load(&args.model)?;
    let data = Dataset::open(&args.data)?;
    let scores = logits(&[&model], &data)?;
    let (n, classes) = (data.len(), model.card.classes.len());
    let float = |values: &[f32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let labels: Vec<u8> = data
        .labels()
        .iter()
        .flat_map(|&l| (l as u64).to_le_bytes())
        .collect();
    let mut tensors = vec![
        ("labels", Dtype::U64, vec![n], labels),
        (
            "logits",
            Dtype::F32,
            vec![n, classes],
            float(scores[0].values()),
        ),
    ];
    if args.inputs {
        let spec = &model.card.preprocess;
        let mut values = Vec::with_capacity(n * spec.len());
        for index in 0..n {
            values.extend(preprocess(&data.image(index)?, spec).with_context(|| data.id(index))?);
        }
        tensors.push((
            "inputs",
            Dtype::F32,
            vec![n, spec.channels, spec.height, spec.width],
            float(&values),
        ));
    }
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    artifact::write(&args.out, &safetensors::serialize(views, None)?)?;
    say(&format!("{}: logits of {n} images", args.out.display()));
    Ok(ExitCode::SUCCESS)
}
