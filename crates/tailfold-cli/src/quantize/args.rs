//! Arguments of `tailfold quantize`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::ValueEnum;
use tailfold_data::DataSpec;
use tailfold_quant::{HeadPrecision, ObserverKind, Options, Rounding, Target, WeightBits};
use tailfold_spec::Shard;

use crate::describe_args::Describe;

/// Quantize a float ONNX classifier to INT8 (QDQ), with ranges from class-balanced training images, or convert it to
/// half precision.
///
/// Example: tailfold quantize --model models/fashion-lt/fashion-lt.onnx --calibration embedded?split=train --out int8.onnx
///
/// Third-party model without metadata, for ONNX Runtime: tailfold quantize --model resnet.onnx --mean 0.485,0.456,0.406
/// --std 0.229,0.224,0.225 --calibration 'folder:photos?split=train' --target ort-x86 --observer mse --out int8.onnx
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Float ONNX classifier from any exporter, opset 7 to 28. A model that tailfold trained must be folded.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// Training images to measure activation ranges on, as a data spec.
    #[arg(long)]
    pub(crate) calibration: Option<DataSpec>,
    /// Calibration images as prepared inputs: little-endian f32, `[images, channels, height, width]`, no header.
    #[arg(long, conflicts_with_all = ["calibration", "evaluation", "list"])]
    pub(crate) calibration_f32: Option<PathBuf>,
    /// Evaluation images, as a data spec. A calibration image among them is an error.
    #[arg(long)]
    pub(crate) evaluation: Option<DataSpec>,
    /// Runtime that an INT8 file is made for: `tract` (ours, the default), `ort-x86` (ONNX Runtime) or `tensorrt`.
    #[arg(long)]
    pub(crate) target: Option<Target>,
    /// Precision of weights and activations. Half precision is for ONNX Runtime and TensorRT, and needs calibration images
    /// only to find activations that overflow.
    #[arg(long, value_enum, default_value_t = Precision::Int8)]
    pub(crate) precision: Precision,
    /// File to write. It must not be one of the files that are read; missing folders are created.
    #[arg(long, required_unless_present = "shard")]
    pub(crate) out: Option<PathBuf>,
    /// Compute share I of N, I from 0 to N-1, of the first pass over the calibration images that has no parts in
    /// `--partials`.
    #[arg(
        long,
        value_name = "I/N",
        requires = "partial",
        conflicts_with_all = ["out", "evaluation", "search", "list", "report", "json"]
    )]
    pub(crate) shard: Option<Shard>,
    /// File to write the results of the share to.
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub(crate) partial: Option<PathBuf>,
    /// All parts of the passes that were computed in shares. These passes are not computed again.
    #[arg(long, value_name = "PART", num_args = 1..)]
    pub(crate) partials: Vec<PathBuf>,
    /// Largest number of calibration images per class.
    #[arg(long, default_value_t = 32)]
    pub(crate) per_class: usize,
    /// Seed of the draw of calibration images.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How ranges are chosen: `minmax`, `moving-average:0.01`, `percentile:99.99`, `mse` or `entropy`.
    #[arg(long, default_value = "mse")]
    pub(crate) observer: ObserverKind,
    /// Accept classes without any calibration image.
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// Leave the last layer in float.
    #[arg(long)]
    pub(crate) float_head: bool,
    /// Leave these layers in float, by the node's name.
    #[arg(long, value_delimiter = ',')]
    pub(crate) keep_float: Vec<String>,
    /// Bits per weight, 4 to 8. With 7 bits, ONNX Runtime does not saturate on x86 without VNNI.
    #[arg(long, default_value_t = WeightBits::default(), value_parser = weight_bits)]
    pub(crate) weight_bits: WeightBits,
    /// Rounding of the weights: `adaptive` rounds each weight up or down to minimise the layer's output error,
    /// `nearest` to the nearest step.
    #[arg(long, default_value = "adaptive")]
    pub(crate) rounding: Rounding,
    /// Corrections for accuracy, or `none`.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "bias,rebalance"
    )]
    pub(crate) correct: Vec<Correction>,
    /// Find the fewest layers to keep in float so that every class group is within its margin on these labelled images.
    /// An evaluation split is refused.
    #[arg(long, conflicts_with_all = ["keep_float", "float_head"])]
    pub(crate) search: Option<DataSpec>,
    /// Policy file with the margins of `--search`. Default: the built-in policy of `tailfold parity`.
    #[arg(long, requires = "search")]
    pub(crate) policy: Option<PathBuf>,
    /// Write the list of calibration images (CSV: id, class, hash) here.
    #[arg(long)]
    pub(crate) list: Option<PathBuf>,
    /// Folder for a report on layers and activations, and on class groups with `--evaluation`: `report.json`,
    /// `report.md` and `report.html`.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) describe: Describe,
    /// Print a summary as one JSON object (schema `tailfold.quantize/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Precision {
    Int8,
    Fp16,
}

/// A correction for accuracy in addition to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Correction {
    /// No correction.
    None,
    /// Cross-layer equalization: move scale between layers, so that the channels between them have similar ranges.
    Equalize,
    /// Bias correction: compensate each bias for the mean quantization error of its channel.
    Bias,
    /// Class re-balancing: shift the last bias by optimal transport, so that every class keeps its mass on the
    /// calibration images.
    Rebalance,
}

impl Args {
    /// Returns the options of an INT8 quantization.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        let asked = |correction| self.correct.contains(&correction);
        ensure!(
            !asked(Correction::None) || self.correct.len() == 1,
            "--correct none excludes all other corrections"
        );
        Ok(Options {
            observer: self.observer,
            head: if self.float_head {
                HeadPrecision::Float
            } else {
                HeadPrecision::Int8
            },
            target: self.target.unwrap_or_default(),
            weight_bits: self.weight_bits,
            rounding: self.rounding,
            equalize: asked(Correction::Equalize),
            correct_bias: asked(Correction::Bias),
            rebalance: asked(Correction::Rebalance),
            statistics: self.report.is_some(),
            kept_in_float: self.keep_float.iter().cloned().collect(),
        })
    }
}

fn weight_bits(text: &str) -> Result<WeightBits, String> {
    let bits = text.parse().map_err(|_| "expected a number".to_owned())?;
    WeightBits::new(bits).map_err(|e| e.to_string())
}
