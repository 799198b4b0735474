//! `tailfold-quant`: quantizes one model.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tailfold_data::{DataSpec, Dataset};
use tailfold_onnx::Model;
use tailfold_quant::{
    CalibrationSet, Draw, FloatModel, HeadPrecision, ObserverKind, Options, PreparedImages, Target,
    check_disjoint, halve, quantize,
};
use tailfold_spec::{CardError, Filter, Preprocess, Resize, artifact};

/// Quantize a float classifier, ours or anybody's, to INT8 (QDQ) with ranges from class-balanced training images, or to
/// half precision.
///
/// Example: tailfold-quant --model models/fashion-lt/fashion-lt.onnx --calibration embedded?split=train --out int8.onnx
///
/// One without metadata, for ONNX Runtime: tailfold-quant --model resnet.onnx --mean 0.485,0.456,0.406 --std
/// 0.229,0.224,0.225 --calibration 'folder:photos?split=train' --target ort-x86 --observer mse --out int8.onnx
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Float model, opset 11 to 21; one of ours must be folded.
    #[arg(long)]
    model: PathBuf,
    /// Training images to observe ranges on, as a data spec.
    #[arg(long)]
    calibration: Option<DataSpec>,
    /// The same as prepared inputs: little-endian f32, `[images, channels, height, width]`, no header.
    #[arg(long, conflicts_with_all = ["calibration", "evaluation", "list"])]
    calibration_f32: Option<PathBuf>,
    /// Mean of each channel on the 0..1 scale, for a model that does not say: `0.485,0.456,0.406`.
    #[arg(
        long,
        value_delimiter = ',',
        requires = "std",
        conflicts_with = "calibration_f32"
    )]
    mean: Vec<f32>,
    /// Standard deviation of each channel on the 0..1 scale, for a model that does not say.
    #[arg(long, value_delimiter = ',', requires = "mean")]
    std: Vec<f32>,
    /// Length that the shorter side is resized to before the centre crop, and the filter (`256:bicubic`; bilinear without
    /// one), for a model that does not say.
    #[arg(long, requires = "mean", value_parser = resize)]
    resize: Option<Resize>,
    /// Output with the logits, for a model with several.
    #[arg(long)]
    output: Option<String>,
    /// Images that the calibration must not share, as a data spec.
    #[arg(long)]
    evaluation: Option<DataSpec>,
    /// Runtime that an INT8 file is made for: `tract` (ours, the default), `ort-x86` (ONNX Runtime) or `tensorrt`.
    #[arg(long)]
    target: Option<Target>,
    /// Precision of weights and activations. Half precision is for ONNX Runtime and TensorRT, and needs calibration images
    /// only to find activations that overflow.
    #[arg(long, value_enum, default_value_t = Precision::Int8)]
    precision: Precision,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
    /// Most calibration images a class.
    #[arg(long, default_value_t = 32)]
    per_class: usize,
    /// Seed of the draw of calibration images.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How ranges are chosen: `minmax`, `moving-average:0.01`, `percentile:99.99`, `mse` or `entropy`.
    #[arg(long, default_value = "minmax")]
    observer: ObserverKind,
    /// Accept classes without any calibration image.
    #[arg(long)]
    allow_missing: bool,
    /// Leave the last layer in float.
    #[arg(long)]
    float_head: bool,
    /// Write the list of calibration images (CSV: id, class, hash) here.
    #[arg(long)]
    list: Option<PathBuf>,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Precision {
    Int8,
    Fp16,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the talk of a command goes to stderr")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(
    clippy::print_stdout,
    reason = "the result of a command goes to stdout"
)]
fn print(line: &str) {
    println!("{line}");
}

fn run(args: &Args) -> anyhow::Result<()> {
    let name = args.model.display().to_string();
    let float =
        FloatModel::read(&args.model, args.output.as_deref()).with_context(|| name.clone())?;
    let set = calibration(args, &float).with_context(|| name.clone())?;
    let (images, skipped) = set
        .as_ref()
        .map_or((0, &[][..]), |s| (s.len(), s.skipped()));
    for image in skipped {
        say(&format!(
            "warning: {image} cannot be decoded and is left out"
        ));
    }
    if let (Some(evaluation), Some(set)) = (&args.evaluation, &set) {
        check_disjoint(set, &Dataset::open(evaluation)?)?;
    }
    let bar = progress_bar(images);
    let done = convert(args, &float, set.as_ref(), &bar).with_context(|| name.clone())?;
    bar.finish_and_clear();
    tailfold_onnx::check(&done.model).context("the quantized graph")?;
    let out = done.model.to_bytes();
    artifact::write(&args.out, &out)?;
    if let (Some(list), Some(set)) = (&args.list, &set) {
        write_list(list, set)?;
    }
    let float_bytes = std::fs::metadata(&args.model)?.len();
    if args.json {
        let mut summary = done.summary;
        summary["schema"] = "tailfold.quantize/1".into();
        summary["model"] = args.out.display().to_string().into();
        summary["sha256"] = artifact::sha256(&out).into();
        summary["float_bytes"] = float_bytes.into();
        summary["calibration_images"] = images.into();
        summary["skipped_images"] = skipped.into();
        print(&summary.to_string());
    } else {
        say(&format!(
            "{}: {}; {float_bytes} -> {} bytes",
            args.out.display(),
            done.said,
            out.len(),
        ));
    }
    Ok(())
}

/// The model that is written, and what is said of it.
struct Done {
    model: Model,
    said: String,
    /// Fields of `--json` that only this precision has, and the size under the name it had before there were others.
    summary: serde_json::Value,
}

fn convert(
    args: &Args,
    float: &FloatModel,
    set: Option<&CalibrationSet>,
    bar: &ProgressBar,
) -> anyhow::Result<Done> {
    match args.precision {
        Precision::Int8 => {
            let set = set.context("give --calibration SPEC or --calibration-f32 FILE")?;
            let options = Options {
                observer: args.observer,
                head: if args.float_head {
                    HeadPrecision::Float
                } else {
                    HeadPrecision::Int8
                },
                target: args.target.unwrap_or_default(),
            };
            let done = quantize(float, set, options, &|| bar.inc(1))?;
            Ok(Done {
                said: format!(
                    "{} layers to int8 with ranges from {} images",
                    done.layers,
                    set.len()
                ),
                summary: serde_json::json!({
                    "target": options.target.name(),
                    "layers": done.layers,
                    "activations": done.activations.len(),
                    "observer": options.observer.to_string(),
                    "int8_bytes": done.model.to_bytes().len(),
                }),
                model: done.model,
            })
        }
        Precision::Fp16 => {
            if args.target == Some(Target::Tract) {
                bail!("tract does not run half precision: --target ort-x86 or tensorrt");
            }
            let done = halve(float, set, &|| bar.inc(1))?;
            for kept in &done.kept {
                say(&format!("stays in f32: {kept}"));
            }
            let kept: Vec<String> = done.kept.iter().map(ToString::to_string).collect();
            Ok(Done {
                said: format!("in half precision but for {} tensors", kept.len()),
                summary: serde_json::json!({
                    "kept_in_f32": kept,
                    "fp16_bytes": done.model.to_bytes().len(),
                }),
                model: done.model,
            })
        }
    }
}

fn progress_bar(images: usize) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(images as u64)
    } else {
        ProgressBar::hidden()
    };
    let style = ProgressStyle::with_template("calibrating {bar:32} {pos}/{len} images, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The images that ranges are observed on, where any are given.
fn calibration(args: &Args, float: &FloatModel) -> anyhow::Result<Option<CalibrationSet>> {
    if let Some(file) = &args.calibration_f32 {
        let images = PreparedImages::open(file, float.input_shape())?;
        return Ok(Some(CalibrationSet::prepared(images)));
    }
    let Some(spec) = &args.calibration else {
        return Ok(None);
    };
    let spec = if args.allow_missing {
        spec.allowing_empty()
    } else {
        spec.clone()
    };
    let preprocess = preprocess(args, float)?;
    let draw = Draw {
        preprocess: &preprocess,
        per_class: args.per_class,
        seed: args.seed,
        allow_missing: spec.allows_empty(),
    };
    let set = CalibrationSet::draw(&Dataset::open(&spec)?, float, &draw)?;
    Ok(Some(set))
}

fn resize(text: &str) -> Result<Resize, String> {
    let (length, filter) = text.split_once(':').unwrap_or((text, "bilinear"));
    let filter = match filter {
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "nearest" => Filter::Nearest,
        _ => return Err("expected `bilinear`, `bicubic` or `nearest` after the colon".to_owned()),
    };
    match length.parse() {
        Ok(short_side) if short_side > 0 => Ok(Resize { short_side, filter }),
        _ => Err("expected a length in pixels".to_owned()),
    }
}

/// How images are prepared: the model says it, or the caller.
fn preprocess(args: &Args, float: &FloatModel) -> anyhow::Result<Preprocess> {
    match (float.card(), args.mean.is_empty()) {
        (Some(card), true) => Ok(card.preprocess.clone()),
        (Some(_), false) => {
            bail!("the model says how images are prepared: --mean and --std are for one that does not")
        }
        (None, true) => Err(CardError::Missing("tailfold.preprocess")).context(
            "say how images are prepared with --mean and --std, or give prepared ones with --calibration-f32",
        ),
        (None, false) => {
            let [channels, height, width] = float.input_shape();
            let preprocess = Preprocess {
                channels,
                height,
                width,
                resize: args.resize,
                mean: args.mean.clone(),
                std: args.std.clone(),
            };
            preprocess.validate()?;
            Ok(preprocess)
        }
    }
}

fn write_list(path: &Path, set: &CalibrationSet) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["image", "class", "hash"])?;
    let data = set.data().context("prepared images have no list")?;
    for (i, hash) in set.hashes().iter().enumerate() {
        writer.write_record([&data.id(i), &data.classes()[data.labels()[i]], hash])?;
    }
    artifact::write(path, &writer.into_inner()?)?;
    Ok(())
}
