//! `tailfold logits`: writes inputs and logits to a file, for cross-checks by other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use safetensors::tensor::{Dtype, TensorView};
use tailfold::LoadedModel;
use tailfold_console::say;
use tailfold_data::{DataSpec, Dataset, preprocess};
use tailfold_onnx::add_model_files;
use tailfold_part::{Kind, Parts};
use tailfold_spec::{Logits, artifact};

use crate::describe_args::Describe;
use crate::model::{Runtime, open_data};
use crate::partial::{self, Asked, Sharding, Share};
use crate::scores::logits;

/// Write a model's logits on a data set as safetensors: `logits [n, classes]`, `labels [n]` and, with `--inputs`, the
/// preprocessed `inputs [n, channels, height, width]`.
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
    #[arg(long, required_unless_present = "shard", conflicts_with = "shard")]
    out: Option<PathBuf>,
    #[command(flatten)]
    describe: Describe,
    #[command(flatten)]
    runtime: Runtime,
    #[command(flatten)]
    sharding: Sharding,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut files = args.sharding.files();
    args.out.iter().for_each(|out| files.writes("--out", out));
    add_model_files(&mut files, "--model", &args.model);
    args.data.add_to(&mut files, "--data");
    args.describe.add_to(&mut files);
    args.runtime.ort.add_to(&mut files);
    files.check()?;
    let data = open_data(&args.data)?;
    let description = args.describe.description()?;
    let model = args.runtime.load_for(&args.model, &description, &data)?;
    if let Some((shard, path)) = args.sharding.get() {
        let share = Share::of(&data, shard, path);
        let scores = logits(&[&model], &share.data)?;
        let asked = Asked {
            inputs: Some(args.inputs),
            ..Asked::of(&[&model], &data)
        };
        let mut part = share.part(Kind::Logits, &asked, &[("logits", &scores[0])])?;
        if args.inputs {
            let (shape, values) = inputs(&model, &share.data)?;
            part.put("inputs", shape, values);
        }
        share.write(&part)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scores = logits(&[&model], &data)?;
    let inputs = if args.inputs {
        Some(inputs(&model, &data)?)
    } else {
        None
    };
    let out = args.out.as_deref().context("give --out FILE")?;
    write(out, &scores[0], data.labels(), inputs)
}

/// Merges the parts into the file that one run over all images writes.
pub(crate) fn merge(parts: &Parts, out: &Path) -> anyhow::Result<ExitCode> {
    let asked: Asked = parts.asked()?;
    let labels = partial::labels(parts, &asked)?;
    let inputs = if asked.inputs == Some(true) {
        let (row, values) = parts.rows("inputs", 4)?;
        Some(([vec![labels.len()], row].concat(), values))
    } else {
        None
    };
    write(out, &partial::logits(parts, "logits")?, &labels, inputs)
}

/// Returns the preprocessed images of `data`: the shape `[n, channels, height, width]` and the values.
fn inputs(model: &LoadedModel, data: &Dataset) -> anyhow::Result<(Vec<usize>, Vec<f32>)> {
    let spec = &model.card.preprocess;
    let n = data.len();
    let mut values = Vec::with_capacity(n * spec.len());
    for index in 0..n {
        values.extend(preprocess(&data.image(index)?, spec).with_context(|| data.id(index))?);
    }
    Ok((vec![n, spec.channels, spec.height, spec.width], values))
}

fn write(
    out: &Path,
    logits: &Logits,
    labels: &[usize],
    inputs: Option<(Vec<usize>, Vec<f32>)>,
) -> anyhow::Result<ExitCode> {
    let n = labels.len();
    let float = |values: &[f32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let labels: Vec<u8> = labels
        .iter()
        .flat_map(|&l| (l as u64).to_le_bytes())
        .collect();
    let mut tensors = vec![
        ("labels", Dtype::U64, vec![n], labels),
        (
            "logits",
            Dtype::F32,
            vec![n, logits.num_classes()],
            float(logits.values()),
        ),
    ];
    if let Some((shape, values)) = inputs {
        tensors.push(("inputs", Dtype::F32, shape, float(&values)));
    }
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    artifact::write(out, &safetensors::serialize(views, None)?)?;
    say(&format!("{}: logits of {n} images", out.display()));
    Ok(ExitCode::SUCCESS)
}
